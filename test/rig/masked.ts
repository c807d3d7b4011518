import { join } from 'node:path';
import { digestFile } from '../../src/core/digest.ts';
import { writeMaskPlan } from '../../src/masking/mask-plan.ts';
import type { MaskSettings } from '../../src/masking/masking.ts';
import type { TestArtifact } from './run-stage.ts';

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
