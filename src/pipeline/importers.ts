import type { StageDescription } from '../core/pipeline.ts';

/**
 * A stage type that brings in a folder from outside, and the config property that takes its path. An input may name such
 * a folder rather than a stage: `init: ./roberta-base`.
 */
export interface Importer {
  readonly uses: string;
  readonly property: string;
}

/** Importers by the contract that they bring in. */
export type Importers = Readonly<Record<string, Importer>>;

/** The importers among stage types: those with a config property marked `x-imports: <contract>`. */
export function importersOf(types: readonly Pick<StageDescription, 'type' | 'config'>[]): Importers {
  const importers: Record<string, Importer> = {};
  for (const { type, config } of types)
    for (const [property, schema] of Object.entries(
      (config.properties ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      const contract = schema['x-imports'];
      if (typeof contract === 'string') importers[contract] = { uses: type, property };
    }
  return importers;
}
