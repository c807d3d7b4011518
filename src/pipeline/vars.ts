import type { Value } from './expression.ts';
import { interpolate, isTemplate, type Scope } from './interpolate.ts';
import { entriesOf, valueOf, type YamlEntry, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';

/** The `vars` of a pipeline as a scope. Vars may use other vars; each is computed once, on first use. */
export class Vars implements Scope {
  private readonly entries: ReadonlyMap<string, YamlEntry>;
  private readonly problems: Problems;
  private readonly values = new Map<string, Value | undefined>();
  private readonly computing: string[] = [];

  constructor(node: YamlNode | undefined, problems: Problems) {
    this.entries = entriesOf(node);
    this.problems = problems;
  }

  lookup([root, name, ...rest]: readonly string[]): Value | undefined {
    if (root !== 'vars' || name === undefined || !this.entries.has(name)) return undefined;
    return member(this.value(name), rest);
  }

  alternatives([root, name, ...rest]: readonly string[]): readonly string[] | undefined {
    if (root !== 'vars' || name === undefined || !this.entries.has(name))
      return [...this.entries.keys()].map((known) => `vars.${known}`);
    let inside = this.value(name);
    if (inside === undefined) return undefined;
    const path = ['vars', name];
    for (const key of rest) {
      const next = member(inside, [key]);
      if (next === undefined) break;
      inside = next;
      path.push(key);
    }
    return typeof inside === 'object' && inside !== null
      ? Object.keys(inside).map((key) => [...path, key].join('.'))
      : [];
  }

  /** Compute every var, so that mistakes in unused ones are also found. */
  checkAll(): void {
    for (const name of this.entries.keys()) this.value(name);
  }

  private value(name: string): Value | undefined {
    if (this.values.has(name)) return this.values.get(name);
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    if (this.computing.includes(name)) {
      const cycle = [...this.computing.slice(this.computing.indexOf(name)), name]
        .map((each) => `vars.${each}`)
        .join(' -> ');
      this.problems.add('vars-cycle', `vars form a cycle: ${cycle}`, entry.key, 'give one of them a plain value');
      return undefined;
    }
    this.computing.push(name);
    const before = this.problems.count;
    const value = valueOf(interpolate(entry.node, this, this.problems)) as Value;
    this.computing.pop();
    this.values.set(name, this.problems.count > before && hasTemplate(value) ? undefined : value);
    return this.values.get(name);
  }
}

/** Follow keys and list indices into a value. */
export function member(value: Value | undefined, path: readonly string[]): Value | undefined {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key) || key === 'length') return undefined;
    at = (at as { readonly [key: string]: Value })[key];
  }
  return at;
}

function hasTemplate(value: Value): boolean {
  if (typeof value === 'object' && value !== null)
    return Object.values(value).some((item) => hasTemplate(item as Value));
  return isTemplate(value);
}
