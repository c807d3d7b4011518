import type { Scalar, Span, YamlNode } from './node.ts';
import { child, entriesOf, stringOf } from './node.ts';
import { isTrue, type Value } from './expression.ts';
import { evaluateAt, interpolate, spanInside, templateParts, type Scope } from './interpolate.ts';
import type { Problems } from './problems.ts';

/** An instance of a stage of the YAML, one per matrix combination and round. */
export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly matrix: Readonly<Record<string, Scalar>>;
  readonly round?: number;
  /** The stage's YAML, interpolated. */
  readonly node: YamlNode;
  /** Its name in the YAML. */
  readonly at: Span;
  /** No expression in it failed. */
  readonly sound: boolean;
  /** Its `when` holds. */
  readonly on: boolean;
}

/** Unroll one stage. */
export function instancesOf(
  name: string,
  node: YamlNode,
  at: Span,
  rounds: number | undefined,
  outer: Scope,
  problems: Problems,
): readonly Instance[] {
  const combinations = combinationsOf(child(node, 'matrix'), outer, problems);
  const instances: Instance[] = [];
  for (const matrix of combinations) {
    for (let round = 1; round <= (rounds ?? 1); round++) {
      const scope = scopeOf(outer, matrix, rounds === undefined ? undefined : round);
      const before = problems.count;
      const interpolated = interpolate(without(node, ['when', 'matrix']), scope, problems);
      instances.push({
        id: name + matrixSuffix(matrix) + (rounds === undefined ? '' : `@${round}`),
        name,
        matrix,
        at,
        node: interpolated,
        ...(rounds === undefined ? {} : { round }),
        sound: problems.count === before,
        on: holds(child(node, 'when'), scope, problems),
      });
    }
  }
  return instances;
}

/** `[rate=0.3,mode=static]`, or empty. */
export function matrixSuffix(matrix: Readonly<Record<string, Scalar>>): string {
  const parts = Object.entries(matrix).map(([key, value]) => `${key}=${String(value)}`);
  return parts.length === 0 ? '' : `[${parts.join(',')}]`;
}

function combinationsOf(
  node: YamlNode | undefined,
  vars: Scope,
  problems: Problems,
): readonly Readonly<Record<string, Scalar>>[] {
  if (node === undefined) return [{}];
  let combinations: Record<string, Scalar>[] = [{}];
  for (const [key, entry] of [...entriesOf(interpolate(node, vars, problems))].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const values = (entry.node.kind === 'list' ? entry.node.items : []).filter((item) => item.kind === 'scalar');
    if (entry.node.kind !== 'list') problems.add('wrong-type', `\`matrix.${key}\` must be a list`, entry.node.span);
    const seen = new Set<string>();
    for (const item of values) {
      if (seen.has(String(item.value)))
        problems.add(
          'matrix-duplicate',
          `\`${String(item.value)}\` occurs twice in \`matrix.${key}\``,
          item.span,
          'remove one',
        );
      seen.add(String(item.value));
      if (typeof item.value === 'string' && /[\[\],=@\n]/.test(item.value))
        problems.add('matrix-value', 'a matrix value cannot hold any of `[ ] , = @`', item.span);
    }
    if (combinations.length * values.length > 100_000) {
      problems.add('matrix-too-large', 'the matrix has more than 100,000 combinations', entry.key);
      return [];
    }
    combinations = combinations.flatMap((combination) => values.map((item) => ({ ...combination, [key]: item.value })));
  }
  return combinations;
}

function scopeOf(outer: Scope, matrix: Readonly<Record<string, Scalar>>, round: number | undefined): Scope {
  return {
    lookup(path) {
      const [root, key] = path;
      if (root === 'matrix' && path.length === 2 && key !== undefined && Object.hasOwn(matrix, key)) return matrix[key];
      if (root === 'round' && path.length === 1) return round;
      return outer.lookup(path);
    },
    alternatives(path) {
      const own = [...Object.keys(matrix).map((key) => `matrix.${key}`), ...(round === undefined ? [] : ['round'])];
      const fromOuter = outer.alternatives(path);
      return fromOuter === undefined ? undefined : [...fromOuter, ...own];
    },
    ...(outer.origin === undefined ? {} : { origin: outer.origin }),
  };
}

function holds(node: YamlNode | undefined, scope: Scope, problems: Problems): boolean {
  if (node?.kind !== 'scalar') return true;
  const text = stringOf(node);
  if (text === undefined) return isTrue(node.value);
  const expression = bareExpression(text);
  const value: Value | undefined = evaluateAt(expression, spanInside(node, expression), scope, problems);
  return value === undefined || isTrue(value);
}

/** The expression in `when: vars.x` or `when: ${{ vars.x }}`. */
export function bareExpression(text: string): string {
  const parts = templateParts(text.trim());
  const only = parts[0];
  return parts.length === 1 && only !== undefined && only !== 'unclosed' && only.expression ? only.text : text;
}

function without(node: YamlNode, keys: readonly string[]): YamlNode {
  if (node.kind !== 'map' || !keys.some((key) => node.entries.has(key))) return node;
  return { ...node, entries: new Map([...node.entries].filter(([key]) => !keys.includes(key))) };
}
