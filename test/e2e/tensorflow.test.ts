import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { engine, findBackend, memory, type KernelBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import pretrain from '../../stages/pretrain/index.ts';
import { installationFile, type Installation } from '../../src/backends/installation.ts';
import { Project, type CliResult } from '../rig/project.ts';
import { missingCompiler, missingModules, python } from '../rig/python.ts';
import { runStage } from '../rig/run-stage.ts';
import { because } from '../rig/skipped.ts';
import { pretrainingInputs } from '../stages/model-fixture.ts';

const missing = missingModules('tensorflow') ?? missingCompiler();

const root = mkdtempSync(join(tmpdir(), 'backends-'));
const setup = (...args: string[]) =>
  new Project({}).start(['setup', 'tensorflow', '--python', python, ...args], {
    RUN_PIPELINE_BACKENDS: root,
    CUDA_VISIBLE_DEVICES: '',
  });

describe.skipIf(missing !== undefined)(`tensorflow${because(missing)}`, () => {
  let result: CliResult;
  beforeAll(async () => {
    // Killed while it compiles, it must go on as if nothing had been.
    const { child, ended } = setup();
    let said = '';
    child.stdout?.on('data', (text) => {
      said += String(text);
    });
    while (!said.includes('compiling') && child.exitCode === null) await sleep(20);
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(installationFile(root, 'tensorflow'))).toBe(false);
    result = await setup().ended;
  }, 600_000);

  test('is set up from the packages of a Python, and says step by step what it did', () => {
    expect(result.code, result.stderr).toBe(0);
    expect(
      result.stdout
        .split('\n')
        .filter((line) => line.startsWith('ok'))
        .map((line) => line.split(/\s+/)[1]),
    ).toEqual(['machine', 'compiler', 'package', 'modules', 'bridge', 'check']);
    expect(result.stdout).toMatch(/one AdamW step of a tiny model on cpu: loss (\d\.\d{4}) → \d\.\d{4}, on wasm \1 → /);
    const installation = JSON.parse(readFileSync(installationFile(root, 'tensorflow'), 'utf8')) as Installation;
    expect(installation).toMatchObject({
      v: 1,
      backend: 'tensorflow',
      version: expect.stringMatching(/^2\./),
      cuda: expect.any(Boolean),
      python: expect.stringContaining('python'),
    });
    expect(statSync(installation.bridge).isFile()).toBe(true);
  });

  test('setting it up again does nothing', async () => {
    const before = statSync(installationFile(root, 'tensorflow'));
    const again = await setup().ended;
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('is already set up');
    expect(again.stdout).not.toContain('compil');
    expect(statSync(installationFile(root, 'tensorflow')).mtimeMs).toBe(before.mtimeMs);
  });

  test('trains as wasm does: losses within 0.1 % after 30 steps with dropout, and memory is flat', async () => {
    const { tokenizer, masked } = await pretrainingInputs(64, 32);
    const train = (backend: string, max_steps: number) =>
      runStage(pretrain, {
        type: 'pretrain',
        backends: root,
        inputs: { tokenizer, masked },
        config: {
          hidden_size: 32,
          num_hidden_layers: 2,
          num_attention_heads: 2,
          max_length: 32,
          batch_size: 8,
          learning_rate: 2e-3,
          seed: 7,
          backend,
          max_steps,
        },
      });
    const wasm = await train('wasm', 30);
    const tensorflow = await train('tensorflow', 30);
    expect(
      tensorflow.messages.some((message) => message.type === 'log' && message.text.startsWith('backend tensorflow 2.')),
    ).toBe(true);
    for (const name of ['loss_first', 'loss'])
      expect(
        Math.abs((tensorflow.metrics[name] ?? Number.NaN) / (wasm.metrics[name] ?? Number.NaN) - 1),
        name,
      ).toBeLessThan(1e-3);
    expect(tensorflow.metrics.loss).toBeLessThan((tensorflow.metrics.loss_first as number) * 0.95);

    const native = findBackend('tensorflow') as KernelBackend & { getNumOfTFTensors(): number };
    const [tensors, handles] = [memory().numTensors, native.getNumOfTFTensors()];
    await train('tensorflow', 10);
    expect([memory().numTensors, native.getNumOfTFTensors()]).toEqual([tensors, handles]);
    expect(engine().backendName).toBe('tensorflow');
  }, 300_000);
});
