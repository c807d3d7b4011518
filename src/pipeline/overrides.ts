import { entryOf, TextSource, type Span, type YamlEntry, type YamlMap, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';
import { parse } from './read.ts';
import { suggest } from './suggest.ts';

/**
 * Apply `--set path=value` arguments to a document, in order. The value is YAML. The path must exist, except for a
 * stage's own settings (`stages.x.with.y`, `stages.x.retries`) and top-level ones (`seed`), which the schemas check
 * afterwards.
 */
export function applyOverrides(document: YamlNode, set: readonly string[], problems: Problems): YamlNode {
  const directory = document.span.source.directory;
  return set.reduce(
    (root, argument) => applyOne(root, new TextSource(`--set ${argument}`, directory, argument), problems),
    document,
  );
}

function applyOne(root: YamlNode, source: TextSource, problems: Problems): YamlNode {
  const argument = source.text;
  const equals = argument.indexOf('=');
  const span = (start: number, end: number): Span => ({ source, start, end });
  if (equals < 1) {
    problems.add(
      'bad-set',
      `\`--set ${argument}\` does not contain \`=\``,
      span(0, Math.max(1, argument.length)),
      'write `--set vars.name=value`',
    );
    return root;
  }
  const value = parseValue(source, equals + 1, problems);
  if (value === undefined) return root;
  const path = argument.slice(0, equals).split('.');
  const starts = path.map((_, index) => path.slice(0, index).join('.').length + (index === 0 ? 0 : 1));
  const spans = path.map((key, index) => span(starts[index] ?? 0, (starts[index] ?? 0) + key.length));
  return setAt(root, path, spans, 0, value, problems);
}

function setAt(
  node: YamlNode | undefined,
  path: readonly string[],
  spans: readonly Span[],
  depth: number,
  value: YamlNode,
  problems: Problems,
): YamlNode {
  const key = path[depth];
  const at = spans[depth];
  if (key === undefined || at === undefined) return value;
  const map: YamlMap = node?.kind === 'map' ? node : { kind: 'map', span: at, entries: new Map<string, YamlEntry>() };
  const existing = entryOf(map, key);
  if (key === '__proto__' || (existing === undefined && !mayBeNew(path, depth, node))) {
    const full = path.slice(0, depth + 1).join('.');
    const known = [...map.entries.keys()].map((name) => [...path.slice(0, depth), name].join('.'));
    problems.add(
      'unknown-set-path',
      `\`--set\`: \`${full}\` is not in the pipeline`,
      at,
      suggest(full, depth === 0 ? ['vars', 'stages', 'seed', 'backend', 'rounds', 'defaults'] : known, 'known paths'),
    );
    return node ?? map;
  }
  const entries = new Map(map.entries);
  entries.set(key, { key: existing?.key ?? at, node: setAt(existing?.node, path, spans, depth + 1, value, problems) });
  return { ...map, entries };
}

/**
 * Top-level settings and settings of an existing stage may be new; names of vars and stages, and parts of a value, may
 * not.
 */
function mayBeNew(path: readonly string[], depth: number, node: YamlNode | undefined): boolean {
  if (node !== undefined && node.kind !== 'map') return false;
  if (depth === 0) return ['name', 'description', 'seed', 'backend', 'rounds', 'defaults'].includes(path[0] ?? '');
  return path[0] !== 'vars' && !(path[0] === 'stages' && depth === 1);
}

function parseValue(source: TextSource, start: number, problems: Problems): YamlNode | undefined {
  if (source.text.slice(start).trim() === '')
    return { kind: 'scalar', span: { source, start, end: start + 1 }, value: '' };
  // Blanking the path keeps every column the same as in the argument.
  const node = parse(
    new TextSource(source.file, source.directory, ' '.repeat(start) + source.text.slice(start)),
    problems,
  );
  return node;
}
