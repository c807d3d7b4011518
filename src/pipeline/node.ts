import type { SourceLocation } from '../core/diagnostic.ts';

/** A named text: a YAML file, or the argument of a `--set`. */
export class TextSource {
  readonly file: string;
  /** Folder that relative paths in this text start from. */
  readonly directory: string;
  readonly text: string;
  private lineStarts: number[] | undefined;

  constructor(file: string, directory: string, text: string) {
    this.file = file;
    this.directory = directory;
    this.text = text;
  }

  /** Line and column, from 1, of an offset. */
  position(offset: number): { line: number; column: number } {
    this.lineStarts ??= startsOfLines(this.text);
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.lineStarts[low] ?? 0) + 1 };
  }
}

/** A range of a source, `end` exclusive. */
export interface Span {
  readonly source: TextSource;
  readonly start: number;
  readonly end: number;
}

/** A YAML value that remembers where it was written. Aliases are resolved, so a node may occur more than once. */
export type YamlNode = YamlMap | YamlList | YamlScalar;
export type Scalar = string | number | boolean | null;
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly span: Span;
  readonly value: Scalar;
}
export interface YamlList {
  readonly kind: 'list';
  readonly span: Span;
  readonly items: readonly YamlNode[];
}
export interface YamlMap {
  readonly kind: 'map';
  readonly span: Span;
  readonly entries: ReadonlyMap<string, YamlEntry>;
}
export interface YamlEntry {
  readonly key: Span;
  readonly node: YamlNode;
}

/** The start of a span; its length stops at the end of the line. */
export function locationOf(span: Span): SourceLocation {
  const { text, file } = span.source;
  const { line, column } = span.source.position(span.start);
  const newline = text.indexOf('\n', span.start);
  const end = newline === -1 ? span.end : Math.min(span.end, newline);
  return { file, line, column, length: Math.max(1, end - span.start) };
}

/** The plain value of a node: a fresh object each time. */
export function valueOf(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(valueOf);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, valueOf(entry.node)]));
  }
}

/** A node for a computed value; all of it is located at the span. */
export function nodeOf(value: unknown, span: Span): YamlNode {
  if (Array.isArray(value)) return { kind: 'list', span, items: value.map((item) => nodeOf(item, span)) };
  if (typeof value === 'object' && value !== null) {
    return {
      kind: 'map',
      span,
      entries: new Map(Object.entries(value).map(([key, item]) => [key, { key: span, node: nodeOf(item, span) }])),
    };
  }
  return { kind: 'scalar', span, value: value as Scalar };
}

/** The node under a key, when `node` is a map that has it. */
export function child(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return entryOf(node, key)?.node;
}

export function entryOf(node: YamlNode | undefined, key: string): YamlEntry | undefined {
  return node?.kind === 'map' ? node.entries.get(key) : undefined;
}

/** Entries of a map, none for anything else. */
export function entriesOf(node: YamlNode | undefined): ReadonlyMap<string, YamlEntry> {
  return node?.kind === 'map' ? node.entries : new Map<string, YamlEntry>();
}

export function stringOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

/** One string or a list of them, as nodes; other values are omitted, as the schema has already reported them. */
export function stringNodes(node: YamlNode | undefined): readonly (YamlScalar & { readonly value: string })[] {
  if (node === undefined) return [];
  const items = node.kind === 'list' ? node.items : [node];
  return items.filter(
    (item): item is YamlScalar & { readonly value: string } => item.kind === 'scalar' && typeof item.value === 'string',
  );
}

function startsOfLines(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
