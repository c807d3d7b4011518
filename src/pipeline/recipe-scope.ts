import type { Reference } from '../core/pipeline.ts';
import type { Draft } from './draft.ts';
import type { Value } from './expression.ts';
import type { Scope } from './interpolate.ts';
import { child, entryOf, type YamlEntry, type YamlNode } from './node.ts';
import { member } from './vars.ts';

/**
 * Names for expressions inside a composite stage: `config.x`, its resolved config, null where an optional property is
 * not set; `inputs.x`, which is a reference, or null where an optional input is not connected; and `round`.
 */
export function recipeScope({ node, stage }: Draft): Scope {
  const properties = Object.keys((node.type.config.properties ?? {}) as object);
  const ports = Object.keys(node.type.inputs);
  return {
    lookup([root, name, ...rest]) {
      if (root === 'round' && name === undefined) return node.round;
      if (name === undefined) return undefined;
      if (root === 'inputs' && rest.length === 0 && ports.includes(name))
        return isConnected(node.inputs[name]) ? `inputs.${name}` : null;
      if (root !== 'config') return undefined;
      if (Object.hasOwn(node.config, name)) return member(node.config[name] as Value, rest);
      return rest.length === 0 && properties.includes(name) ? null : undefined;
    },
    alternatives: () => [...properties.map((name) => `config.${name}`), ...ports.map((name) => `inputs.${name}`)],
    origin: ([root, ...path]) =>
      root === 'config' ? path.reduce<YamlNode | undefined>(child, entryOf(stage.node, 'with')?.node) : undefined,
  };
}

const isConnected = (references: readonly Reference[] | undefined): boolean => (references?.length ?? 0) > 0;

/** A step without the inputs and config properties whose expression is null. */
export function withoutNulls(step: YamlNode): YamlNode {
  if (step.kind !== 'map') return step;
  const entries = new Map(step.entries);
  for (const key of ['inputs', 'with']) {
    const entry = entries.get(key);
    if (entry?.node.kind !== 'map') continue;
    const kept = [...entry.node.entries].flatMap(([name, each]): [string, YamlEntry][] => {
      if (isNull(each.node)) return [];
      if (key === 'with' || each.node.kind !== 'list') return [[name, each]];
      return [[name, { ...each, node: { ...each.node, items: each.node.items.filter((item) => !isNull(item)) } }]];
    });
    entries.set(key, { ...entry, node: { ...entry.node, entries: new Map(kept) } });
  }
  return { ...step, entries };
}

const isNull = (node: YamlNode): boolean => node.kind === 'scalar' && node.value === null;
