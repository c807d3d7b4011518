import { instancesOf, type Instance } from './instances.ts';
import type { Scope } from './interpolate.ts';
import { entriesOf, valueOf, type Span, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';
import { validate, type JsonSchema } from './schema.ts';

/** What unrolling `stages:` depends on. */
export interface Unrolling {
  readonly scope: Scope;
  /** Number of rounds of a stage, by name; `undefined` for one that is not looped. */
  readonly roundsOf: (name: string) => number | undefined;
  /** Schema of a stage; see {@link stageSchema}. */
  readonly schema: JsonSchema;
  readonly problems: Problems;
}

/** The stages of a `stages:` map by name, one instance per matrix combination and round. */
export function unroll(
  stages: YamlNode | undefined,
  { scope, roundsOf, schema, problems }: Unrolling,
): Map<string, readonly Instance[]> {
  const byName = new Map<string, readonly Instance[]>();
  for (const [name, { key, node }] of [...entriesOf(stages)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (node.kind !== 'map') {
      byName.set(name, []);
      continue;
    }
    checkKind(name, key, node, problems);
    const instances = instancesOf(name, node, key, roundsOf(name), scope, problems);
    for (const instance of instances) if (instance.sound) validateInterpolated(instance, node, schema, problems);
    byName.set(name, instances);
  }
  return byName;
}

/** The part of a pipeline's schema that describes a stage. */
export function stageSchema(pipeline: JsonSchema): JsonSchema {
  return { ...(pipeline.definitions as Record<string, JsonSchema>).stage, definitions: pipeline.definitions };
}

/** A stage either uses a stage type or runs a script. */
function checkKind(name: string, at: Span, node: YamlNode & { readonly kind: 'map' }, problems: Problems): void {
  const uses = node.entries.get('uses');
  const run = node.entries.get('run');
  if (uses === undefined && run === undefined)
    problems.add(
      'missing-property',
      `\`${name}\` has neither \`uses\` nor \`run\``,
      at,
      'add `uses: <stage type>` or `run: <script>`',
      name,
    );
  if (uses !== undefined && run !== undefined)
    problems.add('uses-and-run', `\`${name}\` has both \`uses\` and \`run\``, run.key, 'keep one of them', name);
  for (const only of uses === undefined ? ['with'] : run === undefined ? ['env', 'outputs'] : []) {
    const entry = node.entries.get(only);
    if (entry !== undefined)
      problems.add(
        'unknown-property',
        `\`${only}\` belongs to stages with \`${only === 'with' ? 'uses' : 'run'}\``,
        entry.key,
        only !== 'with' ? 'the stage type declares its outputs' : 'put values into the script with `${{ }}`',
        name,
      );
  }
}

/**
 * A stage was validated as written, except for `${{ }}`; validate it again where expressions were replaced by values.
 */
function validateInterpolated(instance: Instance, written: YamlNode, schema: JsonSchema, problems: Problems): void {
  if (instance.node.kind !== 'map' || written.kind !== 'map') return;
  const changed = new Map(
    [...instance.node.entries].filter(
      ([key, entry]) => key !== 'with' && key !== 'inputs' && written.entries.get(key) !== entry,
    ),
  );
  if (changed.size === 0) return;
  const node: YamlNode = { ...instance.node, entries: changed };
  validate(
    schema,
    valueOf(node),
    { node, at: instance.at, name: `\`${instance.name}\``, stage: instance.name },
    problems,
  );
}
