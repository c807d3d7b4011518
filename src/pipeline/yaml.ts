import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  type Document,
  type Node,
  type Pair,
  type ParsedNode,
} from 'yaml';
import { Failure } from '../core/diagnostic.ts';
import { locationOf, type Scalar, type Span, type TextSource, type YamlEntry, type YamlNode } from './node.ts';

/** Limits of a pipeline file: far above what is written by hand or by a script, far below what causes trouble. */
const limits = { bytes: 1024 * 1024, lexemes: 400_000, depth: 60, aliases: 1000, nodesFromAliases: 100_000 };
const knownTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Parse one YAML document (YAML 1.2, core schema, and `<<` merge keys). Throws a Failure with line and column for
 * invalid YAML, and for YAML that does not belong in a configuration: duplicate keys, foreign tags, alias bombs,
 * `__proto__`.
 */
export function parseYaml(source: TextSource): YamlNode {
  if (Buffer.byteLength(source.text) > limits.bytes) {
    const size = (Buffer.byteLength(source.text) / limits.bytes).toFixed(1);
    reject(
      'yaml-too-large',
      `the file is ${size} MiB; a pipeline file may be at most 1 MiB`,
      { source, start: 0, end: 1 },
      'move data out of the pipeline file',
    );
  }
  const document = compose(source);
  if (document?.contents == null) reject('yaml-empty', 'the file is empty', { source, start: 0, end: 1 });
  return new Converter(source).convert(document.contents, 1);
}

/** Lex, parse and compose token by token: too deep or invalid input stops it at once, regardless of what follows. */
function compose(source: TextSource): Document.Parsed | undefined {
  const parser = new Parser();
  const composer = new Composer({
    uniqueKeys: false,
    prettyErrors: false,
    version: '1.2',
    merge: true,
    logLevel: 'silent',
    strict: true,
  });
  // The composer would continue and collect errors, which is slow for a megabyte of them; the loop below is the
  // fallback.
  const stop = stopAtFirst(source);
  Object.assign(composer, { onError: stop });
  let first: Document.Parsed | undefined;
  const take = (documents: Iterable<unknown>) => {
    for (const document of documents as Iterable<Document.Parsed>) {
      for (const error of document.errors) stop(error.pos, error.code, error.message);
      if (first !== undefined)
        reject(
          'yaml-documents',
          'a second YAML document starts here; a pipeline file may contain only one',
          { source, start: document.range[0], end: document.range[0] + 1 },
          'remove the `---` line',
        );
      first = document;
    }
  };
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') stop(token, '', token.message);
      take(composer.next(token));
    }
    const here = { source, start: Math.max(0, parser.offset - 1), end: parser.offset };
    if (parser.stack.length > limits.depth) reject('yaml-too-deep', `nested deeper than ${limits.depth} levels`, here);
    if (++lexemes > limits.lexemes)
      reject(
        'yaml-too-large',
        `the file has more than ${limits.lexemes} tokens`,
        here,
        'use `matrix` or `include` instead of repetition',
      );
  }
  for (const token of parser.end()) take(composer.next(token));
  take(composer.end(false, source.text.length));
  return first;
}

function stopAtFirst(source: TextSource) {
  let first: Failure | undefined;
  return (
    at: number | readonly [number, number] | { readonly offset: number; readonly source?: string },
    _code: string,
    message: string,
    warning = false,
  ): void => {
    if (warning) return;
    const [start, end] =
      typeof at === 'number' ? [at, at + 1] : 'offset' in at ? [at.offset, at.offset + (at.source?.length ?? 1)] : at;
    // The composer catches errors thrown inside a collection and reports them again, at the collection.
    const help = remedy(source.text, start, message);
    first ??= new Failure({
      code: 'yaml-syntax',
      message: sentence(message),
      location: locationOf({ source, start: Math.min(start, source.text.length), end }),
      ...(help === undefined ? {} : { help }),
    });
    throw first;
  };
}

/** Help for common mistakes in pipeline files. */
function remedy(text: string, at: number, message: string): string | undefined {
  if (text.startsWith('${{', at - 1)) return 'quote a value that starts with `{`: "${{ … }}"';
  const [, kind, sign] = /^flow (map|seq).*end with a ([}\]])/i.exec(message) ?? [];
  if (kind !== undefined) return `a \`${sign === '}' ? '{' : '['}\` above this line is not closed by \`${sign}\``;
  return /^tabs /i.test(message) ? 'indent with spaces' : undefined;
}

class Converter {
  private readonly anchors = new Map<string, { node?: YamlNode; size: number }>();
  private aliases = 0;
  private nodes = 0;
  private readonly source: TextSource;

  constructor(source: TextSource) {
    this.source = source;
  }

  convert(node: ParsedNode | Node, depth: number): YamlNode {
    const span = this.spanOf(node);
    if (depth > limits.depth) reject('yaml-too-deep', `nested deeper than ${limits.depth} levels`, span);
    this.nodes++;
    if (isAlias(node)) return this.resolve(node.source, span);
    if (node.tag !== undefined && !knownTags.has(node.tag)) this.rejectTag(node.tag, span);
    const anchor = 'anchor' in node ? node.anchor : undefined;
    const before = this.nodes;
    if (anchor !== undefined) this.anchors.set(anchor, { size: 0 });
    const converted = this.convertContent(node, span, depth);
    if (anchor !== undefined) this.anchors.set(anchor, { node: converted, size: this.nodes - before + 1 });
    return converted;
  }

  private convertContent(node: Node, span: Span, depth: number): YamlNode {
    if (isMap(node))
      return {
        kind: 'map',
        span,
        entries: this.entries(node.items as Pair<ParsedNode, ParsedNode | null>[], span, depth),
      };
    if (isSeq(node))
      return { kind: 'list', span, items: node.items.map((item) => this.convert(item as Node, depth + 1)) };
    if (isScalar(node)) return { kind: 'scalar', span, value: this.scalar(node.value, span) };
    return reject('yaml-value', 'this kind of YAML value is not used in pipelines', span);
  }

  private entries(
    pairs: readonly Pair<ParsedNode, ParsedNode | null>[],
    span: Span,
    depth: number,
  ): Map<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlNode[] = [];
    for (const pair of pairs) {
      const key = this.spanOf(pair.key);
      const name = this.keyName(pair.key, key);
      const node =
        pair.value === null
          ? ({ kind: 'scalar', span: key, value: null } as const)
          : this.convert(pair.value, depth + 1);
      const first = entries.get(name);
      if (first !== undefined)
        reject(
          'yaml-duplicate-key',
          `duplicate key \`${name}\`; it is already set on line ${locationOf(first.key).line}`,
          key,
          'keep one of them',
        );
      if (name === '<<') merged.push(...(node.kind === 'list' ? node.items : [node]));
      else entries.set(name, { key, node });
    }
    for (const node of merged) {
      if (node.kind !== 'map') return reject('yaml-merge', '`<<` takes a map or a list of maps', node.span);
      for (const [name, entry] of node.entries) if (!entries.has(name)) entries.set(name, entry);
      this.charge(node.entries.size, span);
    }
    return entries;
  }

  private keyName(node: ParsedNode | null, span: Span): string {
    if (
      !isScalar(node) ||
      node.value === null ||
      node.value === undefined ||
      (typeof node.value === 'symbol' && String(node.value) !== 'Symbol(<<)')
    ) {
      return reject('yaml-key', 'a key must be a plain word or a string', span);
    }
    if (node.tag !== undefined && !knownTags.has(node.tag) && node.tag !== 'tag:yaml.org,2002:merge')
      this.rejectTag(node.tag, span);
    const name =
      typeof node.value === 'symbol'
        ? '<<'
        : typeof node.value === 'string'
          ? node.value
          : (node.source ?? String(node.value));
    if (name === '__proto__') reject('yaml-forbidden-key', '`__proto__` cannot be a key', span, 'choose another name');
    return name;
  }

  private scalar(value: unknown, span: Span): Scalar {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value !== 'number')
      return reject('yaml-value', 'this kind of YAML value is not used in pipelines', span, 'quote it');
    if (!Number.isFinite(value)) return reject('yaml-number', 'infinity and not-a-number are not allowed', span);
    if (
      Number.isInteger(value) &&
      !Number.isSafeInteger(value) &&
      !/[.e]/i.test(span.source.text.slice(span.start, span.end))
    ) {
      return reject(
        'yaml-number',
        'this integer is too large to be represented exactly',
        span,
        'quote it if it is a name',
      );
    }
    return Object.is(value, -0) ? 0 : value;
  }

  private resolve(anchor: string, span: Span): YamlNode {
    const target = this.anchors.get(anchor);
    if (target === undefined) return reject('yaml-alias', `no anchor \`&${anchor}\` comes before this alias`, span);
    if (target.node === undefined)
      return reject('yaml-alias', `\`*${anchor}\` is inside the value that it refers to`, span);
    if (++this.aliases > limits.aliases) return reject('yaml-alias-bomb', `more than ${limits.aliases} aliases`, span);
    this.charge(target.size, span);
    return target.node;
  }

  private expanded = 0;
  private charge(nodes: number, span: Span): void {
    this.nodes += nodes;
    this.expanded += nodes;
    if (this.expanded > limits.nodesFromAliases)
      reject('yaml-alias-bomb', `aliases expand to more than ${limits.nodesFromAliases} values`, span);
  }

  private rejectTag(tag: string, span: Span): never {
    const written = tag.replace('tag:yaml.org,2002:', '!!');
    const offset = span.source.text.lastIndexOf(written, span.start);
    reject(
      'yaml-unknown-tag',
      `the tag \`${written}\` is not used in pipelines`,
      offset === -1 ? span : { ...span, start: offset, end: offset + written.length },
      'remove the tag',
    );
  }

  private spanOf(node: Node | null): Span {
    const range = node?.range ?? [0, 0, 0];
    return { source: this.source, start: range[0], end: Math.max(range[0] + 1, range[1]) };
  }
}

function sentence(message: string): string {
  const line = (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
  return line.charAt(0).toLowerCase() + line.slice(1);
}

function reject(code: string, message: string, span: Span, help?: string): never {
  throw new Failure({ code, message, location: locationOf(span), ...(help === undefined ? {} : { help }) });
}
