import type { StageDescription } from '../core/pipeline.ts';

interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
}

/** One line a stage type. */
export function listStages(stages: readonly StageDescription[]): string {
  const width = Math.max(...stages.map((stage) => stage.type.length));
  return stages.map((stage) => `${stage.type.padEnd(width)}  ${stage.description}`).join('\n');
}

/** The config values with which an input is made: ` with `mode: static``. */
export const conditions = (neededIf: Readonly<Record<string, unknown>> = {}): string =>
  Object.entries(neededIf)
    .map(([property, value], index) => `${index === 0 ? ' with' : ' and'} \`${property}: ${String(value)}\``)
    .join('');

/** What a stage type takes, gives and is configured with, from its schema. */
export function describeStage(stage: StageDescription): string {
  const port = ([name, { contract, many, optional, madeBy, neededIf, description }]: [
    string,
    StageDescription['inputs'][string],
  ]): string =>
    `  ${name}: ` +
    `${contract}${many ? ' (one or more)' : ''}${optional ? ' (optional)' : ''}${madeBy === undefined ? '' : ` (made by \`${madeBy}\`${conditions(neededIf)})`} ` +
    ` ${description}`;
  const schema = stage.config as Property & { readonly required?: readonly string[] };
  const lines = [stage.type, `  ${stage.description}`, ''];
  if (Object.keys(stage.inputs).length > 0) lines.push('inputs', ...Object.entries(stage.inputs).map(port), '');
  lines.push('outputs', ...Object.entries(stage.outputs).map(port), '');
  if (stage.map !== undefined)
    lines.push(`Runs and caches per ${stage.map in stage.inputs ? 'shard' : 'file'} of "${stage.map}".`, '');
  if (schema.properties) lines.push('with', ...describeProperties(schema, schema.required ?? [], '  '));
  return lines.join('\n').trimEnd();
}

function describeProperties(schema: Property, required: readonly string[], indent: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const type = property.enum
      ? property.enum.map((value) => JSON.stringify(value)).join(' | ')
      : [property.type ?? 'any'].flat().join(' | ');
    const rest = required.includes(name)
      ? ', required'
      : property.default === undefined
        ? ''
        : `, default ${JSON.stringify(property.default)}`;
    return [
      `${indent}${name}: ${type}${rest}`,
      `${indent}  ${property.description ?? ''}`,
      ...describeProperties(property, [], `${indent}  `),
    ];
  });
}
