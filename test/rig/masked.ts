import { join } from 'node:path';
import { digestFile } from '../../src/core/digest.ts';
import { writeMaskPlan, type MaskPlanSource } from '../../src/masking/mask-plan.ts';
import type { MaskSettings } from '../../src/masking/masking.ts';
import type { TestArtifact } from './run-stage.ts';

/** BERT's masking of a vocabulary that ends with the mask token; RoBERTa's special tokens come first. */
export function maskSettings(vocab_size: number, change: Partial<MaskSettings> = {}): MaskSettings {
  return {
    mode: 'dynamic',
    mlm_probability: 0.15,
    epochs: 10,
    seed: 3,
    mask_replace_prob: 0.8,
    random_replace_prob: 0.1,
    whole_word: false,
    max_span_length: 1,
    span_p: 0.2,
    special_ids: [0, 1, 2, 3, vocab_size - 1],
    mask_id: vocab_size - 1,
    vocab_size,
    ...change,
  };
}

/** The plan in a folder that was passed to {@link writeMaskPlan}. */
export const planIn = (folder: string): MaskPlanSource => ({
  settingsFile: join(folder, '_plan/mask-plan.json'),
  tokensFile: join(folder, '_plan/tokens.arrow'),
});

/** A masked dataset with a mask plan beside its shards, all tokens equally likely. */
export function withPlan(masked: TestArtifact, settings: MaskSettings): TestArtifact {
  const { vocab_size: size } = settings;
  writeMaskPlan(masked.folder, settings, {
    count: new Float64Array(size),
    importance: new Float64Array(size),
    probability: new Float32Array(size),
  });
  const files = ['_plan/mask-plan.json', '_plan/tokens.arrow'].map((path) => ({
    path,
    ...digestFile(join(masked.folder, path)),
  }));
  return {
    ...masked,
    manifest: { ...masked.manifest, files: [...masked.manifest.files, ...files] },
    shards: [...masked.shards, ...files.map((file) => ({ ...file, location: join(masked.folder, file.path) }))],
  };
}
