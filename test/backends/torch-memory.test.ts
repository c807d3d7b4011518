import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memory } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { loadBridge } from '../../src/backends/torch/bridge.ts';
import { openBackend } from '../../src/backends/select.ts';
import { presets, type RobertaConfig } from '../../src/model/config.ts';
import { Optimizer } from '../../src/training/optimizer.ts';
import { createParameters, disposeParameters, initialValues, parameterSpecs } from '../../src/model/parameters.ts';
import { encode, loss, maskedLmLogits } from '../../src/model/roberta.ts';
import { trainStep } from '../../src/training/train-step.ts';
import { draw32 } from '../../src/ops/random.ts';
import { torch, torchMissing } from '../rig/backends.ts';
import { because } from '../rig/skipped.ts';

const steps = 1000;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Megabytes in use by JavaScript, and by the process outside of its heap, which V8 grows as it likes. */
function megabytes(): { heap: number; native: number } {
  collectGarbage();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  return { heap: heapUsed / 2 ** 20, native: (rss - heapTotal) / 2 ** 20 };
}

const config: RobertaConfig = {
  ...presets.tiny,
  num_hidden_layers: 1,
  vocab_size: 512,
  max_position_embeddings: 34,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};

test.skipIf(torchMissing !== undefined).each(['fp32', 'bf16'] as const)(
  `over ${steps} training steps in %s, tensors and handles stay the same number and the process the same ` +
    `size${because(torchMissing)}`,
  async (precision) => {
    // Products of this size gain nothing from a second thread.
    await openBackend({ ...torch!, threads: 1 }, precision);
    const bridge = loadBridge(torch!.native!.bridge);
    const empty = [memory().numTensors, bridge.count()];
    const specs = parameterSpecs(config, { kind: 'masked-lm' });
    const parameters = createParameters(specs, initialValues(specs, config, 1));
    const optimizer = new Optimizer(parameters, {
      adam_beta1: 0.9,
      adam_beta2: 0.98,
      adam_epsilon: 1e-6,
      weight_decay: 0.01,
    });
    /** Sequences of changing length, every third padded: shapes and code paths change as they do in real data. */
    const step = (at: number): void => {
      const length = 8 + (draw32(1, at) % 24);
      const input_ids = Int32Array.from({ length: 4 * length }, (_, i) =>
        at % 3 === 0 && i >= 4 * length - 3 ? 1 : 4 + (draw32(at, i) % 500),
      );
      const positions = Int32Array.from({ length: length / 2 }, (_, i) => i * 4);
      trainStep(
        optimizer,
        [
          () =>
            loss(
              maskedLmLogits(
                { config, parameters },
                encode({ config, parameters }, { input_ids, batch: 4, length }, at),
                positions,
              ),
              positions.map((position) => input_ids[position] as number),
              positions.length,
            ),
        ],
        1e-4,
        1,
      );
    };
    const counts = new Set<string>();
    let settled = { heap: 0, native: 0 };
    for (let at = 1; at <= steps; at++) {
      step(at);
      counts.add(`${memory().numTensors} tensors, ${bridge.count()} handles`);
      // By now every shape has been met, whose primitives oneDNN keeps, and the code that is hot is compiled.
      if (at === steps / 4) settled = megabytes();
    }
    expect([...counts]).toHaveLength(1);
    // 10 KiB a step would be 7 MiB; measured is less than 1 of either.
    const { heap, native } = megabytes();
    expect(native - settled.native).toBeLessThan(4);
    expect(heap - settled.heap).toBeLessThan(4);
    optimizer.dispose();
    disposeParameters(parameters);
    expect([memory().numTensors, bridge.count()]).toEqual(empty);
  },
);
