import type { StageDescription } from '../core/pipeline.ts';
import type { Port } from '../core/stage.ts';

interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
}

/** One line per stage type. */
export function listStages(stages: readonly StageDescription[]): string {
  const width = Math.max(...stages.map((stage) => stage.type.length));
  return stages.map((stage) => `${stage.type.padEnd(width)}  ${stage.description}`).join('\n');
}

/** Inputs, outputs and config of a stage type, from its schema. */
export function describeStage(stage: StageDescription): string {
  const port = ([name, { contract, many, optional, when, description }]: [string, Port]): string => {
    const notes = [many && 'one or more', optional && 'optional', when && `where ${when}`].filter(Boolean);
    return `  ${name}: ${contract}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}  ${description}`;
  };
  const schema = stage.config as Property & { readonly required?: readonly string[] };
  const lines = [stage.type, `  ${stage.description}`, ''];
  if (Object.keys(stage.inputs).length > 0) lines.push('inputs', ...Object.entries(stage.inputs).map(port), '');
  lines.push('outputs', ...Object.entries(stage.outputs).map(port), '');
  if (stage.map !== undefined) lines.push(`Runs and caches per ${partsOf(stage)}.`, '');
  if (stage.composition !== undefined)
    lines.push(`Steps: ${Object.keys(stage.composition.stages).join(', ')}; each runs and is cached separately.`, '');
  if (schema.properties) lines.push('with', ...describeProperties(schema, schema.required ?? [], '  '));
  return lines.join('\n').trimEnd();
}

/** What an action of a stage works on: `shard of "documents"`. */
export function partsOf({ map, inputs }: StageDescription): string {
  if (map === undefined) return '';
  const ports = map.ports.map((name) => `"${name}"`).join(' with ');
  if (map.by !== undefined) return `"${map.by}" of ${ports}`;
  return `${map.ports.every((name) => name in inputs) ? 'shard' : 'file'} of ${ports}`;
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
