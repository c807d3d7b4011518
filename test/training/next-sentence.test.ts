import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tidy } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import type { RobertaConfig } from '../../src/model/config.ts';
import { readModel, writeModel } from '../../src/model/hf.ts';
import {
  createParameters,
  disposeParameters,
  initialValues,
  parameterSpecs,
  type Head,
} from '../../src/model/parameters.ts';
import { encode, maskedLmLogits, nextSentenceLogits, type Batch } from '../../src/model/roberta.ts';
import { draw32, fillNormal, key32 } from '../../src/ops/random.ts';
import { availableBackends } from '../rig/backends.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { because } from '../rig/skipped.ts';

const missing = missingModules('torch', 'transformers', 'safetensors');
const config: RobertaConfig = {
  vocab_size: 90,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 20,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};
const head: Head = { kind: 'masked-lm', next_sentence: true };
/** Two pairs, one of them padded. */
const batch: Batch = {
  input_ids: Int32Array.from({ length: 32 }, (_, i) =>
    i > 28 ? 1 : i % 16 === 0 ? 0 : i % 16 === 7 || i % 16 === 8 ? 2 : 4 + (draw32(3, i) % 80),
  ),
  batch: 2,
  length: 16,
};

test.skipIf(missing !== undefined).each(availableBackends)(
  'a model with a head for pairs is, to transformers, a masked language model and a pooled encoder with the same ' +
    `scores: $name${because(missing)}`,
  async (backend) => {
    await openBackend(backend);
    const values = initialValues(parameterSpecs(config, head), config, 3);
    for (const [name, data] of values) {
      const noise = new Float32Array(data.length);
      fillNormal(noise, key32('loud', name), 0.2);
      noise.forEach((value, i) => {
        data[i] = (data[i] as number) + value;
      });
    }
    const folder = mkdtempSync(join(tmpdir(), 'pairs-'));
    writeModel(folder, { config, head, labels: [], values }, folder);
    expect(readModel(folder)).toMatchObject({ head, notes: [] });

    const rows = [0, 1].map((row) => [...batch.input_ids.subarray(row * 16, (row + 1) * 16)]);
    const theirs = JSON.parse(runPython([new URL('next_sentence.py', import.meta.url).pathname, folder], rows)) as {
      scores: number[];
      logits: number[];
      missing: string[];
    };
    expect(theirs.missing).toEqual([]);
    const parameters = createParameters(parameterSpecs(config, head), values);
    const tokens = Int32Array.from(batch.input_ids.keys()).filter((i) => batch.input_ids[i] !== 1);
    const ours = tidy(() => {
      const hidden = encode({ config, parameters }, batch, undefined);
      return {
        scores: nextSentenceLogits({ config, parameters }, hidden, batch).dataSync(),
        logits: maskedLmLogits({ config, parameters }, hidden, tokens).dataSync(),
      };
    });
    disposeParameters(parameters);
    theirs.scores.forEach((score, i) => expect(ours.scores[i]).toBeCloseTo(score, 4));
    const theirLogits = [...tokens].flatMap((at) =>
      theirs.logits.slice(at * config.vocab_size, (at + 1) * config.vocab_size),
    );
    expect(Math.max(...theirLogits.map((logit, i) => Math.abs(logit - (ours.logits[i] as number))))).toBeLessThan(1e-4);
  },
  120_000,
);
