import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Failure } from '../core/diagnostic.ts';
import type { Source } from '../core/stage.ts';
import type { StageNode } from '../core/pipeline.ts';
import { isUrl } from '../core/url.ts';

/** Sources that list files, one per line, as published by crawls: `wet.paths.gz`. */
export interface Listing {
  /** Matches the names of such files. */
  readonly pattern: RegExp;
  /** Base of its relative paths: a URL or a folder; empty for the listing's own folder. */
  readonly base: string;
}

/**
 * How the schema of a config property describes listings: `"x-listing": { "pattern": …, "base": <another property> }`.
 */
export function listingOf({ type, config }: StageNode, property: string): Listing | undefined {
  const schema = (type.config.properties as Record<string, Record<string, unknown>> | undefined)?.[property];
  const { pattern, base = '' } = (schema?.['x-listing'] ?? {}) as { readonly pattern?: string; readonly base?: string };
  if (pattern === undefined) return undefined;
  return { pattern: new RegExp(pattern, 'i'), base: typeof config[base] === 'string' ? config[base] : '' };
}

/**
 * The files that a local listing names, in its order. Relative paths start from its base. Blank lines and lines that
 * begin with `#` are skipped.
 */
export function readListing(node: StageNode, path: string, { pattern, base }: Listing): Source[] {
  const fail = (code: string, message: string, help: string): never => {
    throw new Failure({ code, message: `${node.id}: ${message}`, stage: node.id, location: node.location, help });
  };
  if (isUrl(path))
    fail(
      'remote-listing',
      `${path} is a remote listing; a plan must not depend on what a server returns today`,
      `Download it once (curl -O ${path}) and name the local file; the files it lists are fetched.`,
    );
  const at = (line: string): string => {
    if (isUrl(line)) return line;
    return isUrl(base)
      ? new URL(line.replace(/^\/+/, ''), base.endsWith('/') ? base : `${base}/`).href
      : resolve(dirname(path), base, line);
  };
  const lines = read(path, fail)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) fail('empty-listing', `${path} does not list any files`, 'Download it again.');
  const odd = lines.find((line) => line.length > 2000 || /[\0-\x1f<>]/.test(line) || pattern.test(line));
  if (odd !== undefined)
    fail(
      'bad-listing',
      `${path} is not a list of files: ${JSON.stringify(odd.slice(0, 80))}`,
      'Write one path or URL per line.',
    );
  return lines.map((line) => ({ uri: at(line), name: line }));
}

function read(path: string, fail: (code: string, message: string, help: string) => never): string {
  const bytes = readFileSync(path);
  try {
    return (
      bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: maxListingBytes }) : bytes
    ).toString('utf8');
  } catch (error) {
    return fail(
      'bad-listing',
      `cannot read ${basename(path)}: ${(error as Error).message}`,
      'Download it again and check it with `gzip -t`.',
    );
  }
}

/** A crawl has 100,000 WARC files at 140 bytes per line. */
const maxListingBytes = 256 << 20;
