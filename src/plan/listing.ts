import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Failure } from '../core/diagnostic.ts';
import type { Source } from '../core/stage.ts';
import type { StageNode } from '../core/pipeline.ts';

export const isUrl = (uri: string): boolean => /^https?:\/\//i.test(uri);

/** Whether a source is a list of files, one a line, as crawls publish them: `wet.paths.gz`. */
export const isListing = (uri: string): boolean => /\.paths(?:\.gz)?$/i.test(uri);

/**
 * The files that a local listing names, in its order: absolute ones as they are, others below the stage's `base_url`,
 * or
 * beside the listing where it has none. Blank lines and those that begin with `#` are skipped.
 */
export function readListing(node: StageNode, path: string): Source[] {
  const fail = (code: string, message: string, help: string): never => {
    throw new Failure({ code, message: `${node.id}: ${message}`, stage: node.id, location: node.location, help });
  };
  if (isUrl(path))
    fail(
      'remote-listing',
      `${path} is a listing; a plan must not depend on what a server says today`,
      `Fetch it once (curl -O ${path}) and give the file; what it names is read from \`base_url\`.`,
    );
  const base = typeof node.config['base_url'] === 'string' ? node.config['base_url'] : '';
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
  if (lines.length === 0) fail('empty-listing', `${path} names no files`, 'Fetch it again.');
  const odd = lines.find((line) => line.length > 2000 || /[\0-\x1f<>]/.test(line) || isListing(line));
  if (odd !== undefined)
    fail(
      'bad-listing',
      `${path} is no list of files: ${JSON.stringify(odd.slice(0, 80))}`,
      'Give one path or URL a line.',
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
      'Fetch it again; check it with `gzip -t`.',
    );
  }
}

/** A crawl has 100,000 WARC files at 140 bytes a line. */
const maxListingBytes = 256 << 20;
