import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure } from '../core/diagnostic.ts';
import { child, stringNodes, TextSource, type Span, type YamlEntry, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';
import { parseYaml } from './yaml.ts';

/**
 * Read a pipeline file and its includes, merged into one document. `undefined` after a problem that hides the rest.
 * @param at where another file names it
 */
export async function readDocument(file: string, problems: Problems, at?: Span): Promise<YamlNode | undefined> {
  return readFrom(resolve(file), at, [], problems);
}

async function readFrom(
  file: string,
  includedAt: Span | undefined,
  including: readonly string[],
  problems: Problems,
): Promise<YamlNode | undefined> {
  if (including.includes(file)) {
    const cycle = [...including.slice(including.indexOf(file)), file].join(' -> ');
    problems.add(
      'include-cycle',
      `files include each other in a cycle: ${cycle}`,
      includedAt,
      'remove one of the `include` lines',
    );
    return undefined;
  }
  const source = await readSource(file, includedAt, problems);
  if (source === undefined) return undefined;
  const node = parse(source, problems);
  if (node === undefined) return undefined;
  if (node.kind !== 'map') {
    problems.add(
      'wrong-type',
      'a pipeline file is a map with `stages`, not ' + (node.kind === 'list' ? 'a list' : 'a single value'),
      node.span,
    );
    return undefined;
  }
  let merged: YamlNode = node;
  for (const include of [...stringNodes(child(node, 'include'))].reverse()) {
    const included = await readFrom(
      resolve(dirname(file), include.value),
      include.span,
      [...including, file],
      problems,
    );
    if (included !== undefined) merged = mergeNodes(included, merged);
  }
  return merged;
}

/** Merge one document over another: maps are merged key by key; for anything else, `over` wins. */
export function mergeNodes(under: YamlNode, over: YamlNode): YamlNode {
  if (under.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map<string, YamlEntry>(under.entries);
  for (const [key, entry] of over.entries) {
    const below = under.entries.get(key);
    entries.set(key, below === undefined ? entry : { key: entry.key, node: mergeNodes(below.node, entry.node) });
  }
  return { ...over, entries };
}

/** Parse, turning a Failure into a problem. */
export function parse(source: TextSource, problems: Problems): YamlNode | undefined {
  try {
    return parseYaml(source);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.addDiagnostic(error.diagnostic);
    return undefined;
  }
}

async function readSource(file: string, at: Span | undefined, problems: Problems): Promise<TextSource | undefined> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
    return new TextSource(file, dirname(file), text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT')
      problems.add(
        at === undefined ? 'pipeline-not-found' : 'file-not-found',
        `file not found: ${file}`,
        at,
        'check the path',
      );
    else if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      problems.add('yaml-encoding', `${file} is not UTF-8 text`, at, 'save it as UTF-8');
    else if (code === 'EISDIR') problems.add('pipeline-not-found', `${file} is a folder`, at, 'name a YAML file');
    else problems.add('pipeline-unreadable', `${file} cannot be read: ${code || String(error)}`, at);
    return undefined;
  }
}
