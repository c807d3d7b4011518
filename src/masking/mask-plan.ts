import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
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

/** Write `mask-plan.json` and `tokens.arrow` into a folder. `extra` is recorded for readers and has no effect. */
export function writeMaskPlan(
  folder: string,
  settings: MaskSettings,
  tokens: TokenTable,
  extra: Readonly<Record<string, unknown>> = {},
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'mask-plan.json'),
    `${JSON.stringify({ version: 1, ...settings, ...extra }, undefined, 1)}\n`,
  );
  const table = tableFromArrays({ token_id: Uint32Array.from(tokens.count.keys()), ...tokens });
  writeFileSync(join(folder, 'tokens.arrow'), tableToIPC(table, 'file'));
}

/** Read a mask plan as the `mask` stage leaves it. Fails with `damaged-mask-plan` when it cannot be read. */
export function loadMaskPlan(folder: string): MaskPlan {
  try {
    const settings = JSON.parse(readFileSync(join(folder, 'mask-plan.json'), 'utf8')) as MaskSettings;
    if (settings.mode !== 'importance') return createMaskPlan(settings);
    const column = tableFromIPC(readFileSync(join(folder, 'tokens.arrow'))).getChild('probability');
    const probability = column?.toArray() as Float32Array | undefined;
    if (probability?.length !== settings.vocab_size)
      throw new Error(
        `tokens.arrow has ${probability?.length ?? 'no'} probabilities for ${settings.vocab_size} tokens`,
      );
    return createMaskPlan(settings, probability);
  } catch (cause) {
    return fail(
      'damaged-mask-plan',
      `${folder} is not a mask plan: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Run the mask stage again.',
      cause,
    );
  }
}
