import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import type { Dataset } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';
import { createMaskPlan, type MaskPlan, type MaskSettings } from './masking.ts';

/** What a plan records of each token id. */
export interface TokenTable {
  /** Occurrences in the sequences. */
  readonly count: Float64Array;
  readonly importance: Float64Array;
  /** Chance to be chosen, per occurrence; 0 for special tokens. */
  readonly probability: Float32Array;
}

/** Where a mask plan lies beside the shards of a dataset of contract `masked`. */
const folder = '_plan';
const settingsFile = 'mask-plan.json';
const tokensFile = 'tokens.arrow';

/** A mask plan as files, or settings that mask all tokens alike. */
export type MaskPlanSource =
  { readonly settingsFile: string; readonly tokensFile: string } | { readonly settings: MaskSettings };

/** The plan beside the shards of a masked dataset. */
export const planOf = (masked: Dataset): MaskPlanSource => ({
  settingsFile: masked.file(`${folder}/${settingsFile}`),
  tokensFile: masked.file(`${folder}/${tokensFile}`),
});

/** The plan in a folder that {@link writeMaskPlan} was given. */
export const planIn = (dataset: string): MaskPlanSource => ({
  settingsFile: join(dataset, folder, settingsFile),
  tokensFile: join(dataset, folder, tokensFile),
});

/**
 * Write a plan beside the shards in the folder of a masked dataset. `extra` is recorded for readers and has no effect.
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

/** Get a mask plan ready for use. Fails with `damaged-mask-plan` when its files cannot be read. */
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
