import { statSync } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';
import { globSync, isDynamicPattern } from 'tinyglobby';
import { Failure, type Diagnostic } from '../core/diagnostic.ts';
import type { Source } from '../core/stage.ts';
import type { Pipeline, StageNode } from '../core/pipeline.ts';
import { isUrl } from '../core/url.ts';
import { listingOf, readListing } from './listing.ts';

/**
 * The files behind one `x-source` property, in the order of its patterns and sorted by name within each. A folder
 * stands for every file in it, a listing for the files it names. Names are relative to the folder or the fixed part of
 * the glob, so moving everything changes nothing.
 */
export function expandSources(node: StageNode, property: string, patterns: readonly string[]): Source[] {
  const found = new Map<string, Source>();
  const listing = listingOf(node, property);
  for (const pattern of patterns) {
    const sources = (isUrl(pattern) ? [{ uri: pattern, name: pattern }] : expandPath(pattern)).flatMap((source) =>
      listing?.pattern.test(source.uri) === true ? readListing(node, source.uri, listing) : [source],
    );
    if (sources.length === 0)
      throw new Failure({
        code: 'source-not-found',
        message: `${node.id}: no file matches ${property}: ${pattern}`,
        stage: node.id,
        location: node.location,
        help: 'Check the path. Relative paths are relative to the pipeline file.',
      });
    for (const source of sources) if (!found.has(source.uri)) found.set(source.uri, source);
  }
  return [...found.values()];
}

/** Missing source files of every stage: better reported at the start than days later, when a stage's turn comes. */
export function missingSources({ stages }: Pipeline): Diagnostic[] {
  return stages.flatMap((node) =>
    Object.entries(node.sources).flatMap(([property, patterns]) => {
      try {
        expandSources(node, property, patterns);
        return [];
      } catch (error) {
        if (error instanceof Failure) return [error.diagnostic];
        throw error;
      }
    }),
  );
}

function expandPath(pattern: string): Source[] {
  const stat = statSync(pattern, { throwIfNoEntry: false });
  if (stat?.isFile()) return [{ uri: pattern, name: basename(pattern) }];
  if (stat?.isDirectory()) return glob('**/*', pattern);
  if (!isDynamicPattern(pattern)) return [];
  // An existing folder is taken literally: `project (1)/*.txt` is a glob only from its star on.
  let base = dirname(pattern);
  while (isDynamicPattern(base) && statSync(base, { throwIfNoEntry: false })?.isDirectory() !== true)
    base = dirname(base);
  return glob(pattern.slice(base.endsWith('/') ? base.length : base.length + 1), base);
}

function glob(pattern: string, base: string): Source[] {
  return globSync(pattern, { cwd: base, absolute: true, onlyFiles: true, expandDirectories: false })
    .map((uri) => ({ uri, name: relative(base, uri).split(sep).join('/') }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
