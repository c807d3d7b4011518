import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import type { Dataset } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';
import { createMaskPlan, type MaskPlan, type MaskSettings } from './masking.ts';

/** What a plan records for each token id. */
export interface TokenTable {
  /** Occurrences in the sequences. */
  readonly count: Float64Array;
  readonly importance: Float64Array;
  /** Probability of being selected, per occurrence; 0 for special tokens. */
  readonly probability: Float32Array;
}

/** Path of a mask plan next to the shards of a dataset of contract `masked`. */
const folder = '_plan';
const settingsFile = 'mask-plan.json';
const tokensFile = 'tokens.arrow';

/** A mask plan as files, or settings that mask all tokens with equal probability. */
export type MaskPlanSource =
  { readonly settingsFile: string; readonly tokensFile: string } | { readonly settings: MaskSettings };

/** The plan next to the shards of a masked dataset. */
export const planOf = (masked: Dataset): MaskPlanSource => ({
  settingsFile: masked.file(`${folder}/${settingsFile}`),
  tokensFile: masked.file(`${folder}/${tokensFile}`),
});

/**
 * Write a plan next to the shards in the folder of a masked dataset. `extra` is recorded for readers and has no effect.
 */
export function writeMaskPlan(
  dataset: string,
  settings: MaskSettings,
  tokens: TokenTable,
  extra: Readonly<Record<string, unknown>> = {},
): void {
  mkdirSync(join(dataset, folder), { recursive: true });
  writeFileSync(
    join(dataset, folder, settingsFile),
    `${JSON.stringify({ version: 1, ...settings, ...extra }, undefined, 1)}\n`,
  );
  const table = tableFromArrays({ token_id: Uint32Array.from(tokens.count.keys()), ...tokens });
  writeFileSync(join(dataset, folder, tokensFile), tableToIPC(table, 'file'));
}

/** Load a mask plan. Fails with `damaged-mask-plan` when its files cannot be read. */
export function loadMaskPlan(source: MaskPlanSource): MaskPlan {
  if ('settings' in source) return createMaskPlan(source.settings);
  try {
    const settings = JSON.parse(readFileSync(source.settingsFile, 'utf8')) as MaskSettings;
    if (settings.mode !== 'importance') return createMaskPlan(settings);
    const column = tableFromIPC(readFileSync(source.tokensFile)).getChild('probability');
    const probability = column?.toArray() as Float32Array | undefined;
    if (probability?.length !== settings.vocab_size)
      throw new Error(
        `tokens.arrow has ${probability?.length ?? 'no'} probabilities for ${settings.vocab_size} tokens`,
      );
    return createMaskPlan(settings, probability);
  } catch (cause) {
    return fail(
      'damaged-mask-plan',
      `${source.settingsFile} is not a mask plan: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Run the mask stage again.',
      cause,
    );
  }
}
