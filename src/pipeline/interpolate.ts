import { evaluate, kindOf, parseExpression, type ExpressionProblem, type Value } from './expression.ts';
import { nodeOf, type Span, type YamlEntry, type YamlNode, type YamlScalar } from './node.ts';
import type { Problems } from './problems.ts';
import { suggest } from './suggest.ts';

/** The names that expressions may use at one place in a pipeline. */
export interface Scope {
  lookup(path: readonly string[]): Value | undefined;
  /** Names to suggest instead of an unknown one; `undefined` if its problem has already been reported. */
  alternatives(path: readonly string[]): readonly string[] | undefined;
  /** The node that a value comes from, if written elsewhere: relative paths in it start from there. */
  origin?(path: readonly string[]): YamlNode | undefined;
}

/** Whether a value is or contains a `${{ expression }}`. */
export function isTemplate(value: unknown): value is string {
  return typeof value === 'string' && value.includes('${{');
}

/**
 * Replace every `${{ expression }}` under a node. A scalar that is a single expression takes its value and kind; inside
 * longer text the value is inserted as text. Nodes without expressions are returned unchanged.
 */
export function interpolate(node: YamlNode, scope: Scope, problems: Problems): YamlNode {
  switch (node.kind) {
    case 'scalar':
      return isTemplate(node.value) ? interpolateText(node.value, node, scope, problems) : node;
    case 'list': {
      const items = node.items.map((item) => interpolate(item, scope, problems));
      return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
    }
    case 'map': {
      let changed = false;
      const entries = new Map<string, YamlEntry>();
      for (const [key, entry] of node.entries) {
        const value = interpolate(entry.node, scope, problems);
        changed ||= value !== entry.node;
        entries.set(key, value === entry.node ? entry : { key: entry.key, node: value });
      }
      return changed ? { ...node, entries } : node;
    }
  }
}

/** Compute one expression at a span; problems are located inside it. `undefined` after a problem. */
export function evaluateAt(text: string, span: Span, scope: Scope, problems: Problems): Value | undefined {
  const parsed = parseExpression(text);
  if (!parsed.ok) return report('expression-syntax', parsed.error, span, scope, problems);
  const value = evaluate(parsed.value, (path) => scope.lookup(path));
  return value.ok ? value.value : report('expression-value', value.error, span, scope, problems);
}

/** Splits text into literal parts and expressions; offsets are those of the expression's text. */
export function templateParts(
  text: string,
): readonly ({ readonly text: string; readonly expression: boolean; readonly start: number } | 'unclosed')[] {
  const parts = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('${{', at);
    if (open === -1) break;
    const close = endOfExpression(text, open + 3);
    if (open > at) parts.push({ text: text.slice(at, open), expression: false, start: at });
    if (close === -1) return [...parts, 'unclosed' as const];
    parts.push({ text: text.slice(open + 3, close), expression: true, start: open + 3 });
    at = close + 2;
  }
  if (at < text.length) parts.push({ text: text.slice(at), expression: false, start: at });
  return parts;
}

/**
 * The position of a piece of a scalar's text in its source, searching from `from`; the whole scalar if escapes or
 * folding hide it.
 */
export function spanInside(node: YamlScalar, needle: string, from = node.span.start): Span {
  const { source, end } = node.span;
  const at = source.text.slice(from, end).indexOf(needle);
  return at === -1 ? node.span : { source, start: from + at, end: from + at + needle.length };
}

function interpolateText(text: string, node: YamlScalar, scope: Scope, problems: Problems): YamlNode {
  const parts = templateParts(text);
  let cursor = node.span.start;
  let result = '';
  for (const part of parts) {
    if (part === 'unclosed') {
      problems.add('expression-syntax', '`${{` is not closed by `}}`', node.span);
      return node;
    }
    if (!part.expression) {
      result += part.text;
      continue;
    }
    const outer = spanInside(node, `\${{${part.text}}}`, cursor);
    const inner = outer === node.span ? outer : { ...outer, start: outer.start + 3, end: outer.end - 2 };
    if (outer !== node.span) cursor = outer.end;
    const value = evaluateAt(part.text, inner, scope, problems);
    if (value === undefined) return node;
    if (parts.length === 1) return scope.origin?.(part.text.trim().split('.')) ?? nodeOf(value, node.span);
    if (typeof value === 'object' && value !== null) {
      problems.add(
        'expression-value',
        `${kindOf(value)} cannot be inserted into a string`,
        inner,
        'use the expression as the whole value',
      );
      return node;
    }
    result += String(value ?? '');
  }
  return { ...node, value: result };
}

function report(code: string, problem: ExpressionProblem, span: Span, scope: Scope, problems: Problems): undefined {
  const exact = span.source.text.length >= span.end && span.end - span.start > 1;
  const place = exact
    ? {
        ...span,
        start: Math.min(span.start + problem.start, span.end),
        end: Math.max(Math.min(span.start + problem.end, span.end), span.start + 1),
      }
    : span;
  if (problem.unknown === undefined) {
    problems.add(code, problem.message, place, problem.help);
    return;
  }
  const alternatives = scope.alternatives(problem.unknown);
  if (alternatives === undefined) return;
  problems.add(
    'unknown-name',
    problem.message,
    place,
    problem.help ?? suggest(problem.unknown.join('.'), alternatives, 'known names'),
  );
}

function endOfExpression(text: string, from: number): number {
  let quote: string | undefined;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quote !== undefined) {
      if (character === '\\') at++;
      else if (character === quote) quote = undefined;
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '}' && text[at + 1] === '}') return at;
  }
  return -1;
}
