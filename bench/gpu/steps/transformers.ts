/** Logits, loss and every gradient of RoBERTa beside transformers on the same device, in float32 and in bfloat16. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { presets, type RobertaConfig } from '../../../src/model/config.ts';
import { writeModel } from '../../../src/model/hf.ts';
import type { Head } from '../../../src/model/parameters.ts';
import {
  answerOf,
  common,
  errors,
  makeBatch,
  ours,
  rowsOf,
  worst,
  type Setting,
  type Values,
} from '../../../test/conformance/transformers-compare.ts';
import { loudValues } from '../../../test/rig/hugging-face-folder.ts';
import { row } from '../row.mjs';
import { torchOn } from '../torch-on.ts';

const { device = 'cuda', python = 'python3' } = parseArgs({
  options: { device: { type: 'string' }, python: { type: 'string' } },
}).values;
const oracle = fileURLToPath(new URL('../../../test/conformance/transformers_oracle.py', import.meta.url));
const torch = torchOn(device);
const head: Head = { kind: 'masked-lm' };

/** How far from transformers in float32 bfloat16 may lead; its own autocast comes as far. */
interface Bounds {
  readonly logits: number;
  readonly gradient: number;
}

const narrow: RobertaConfig = {
  ...common,
  vocab_size: 120,
  hidden_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 96,
  max_position_embeddings: 20,
};
const base = (num_hidden_layers: number): RobertaConfig => ({
  ...common,
  ...presets.base,
  num_hidden_layers,
  vocab_size: 1000,
  max_position_embeddings: 130,
});
if (device === 'cpu') await agree('narrow, 2 layers', narrow, [3, 12], undefined, { logits: 0.03, gradient: 0.08 });
else {
  await agree('base, 2 layers', base(2), [8, 128], undefined, { logits: 0.02, gradient: 0.05 });
  // Through twelve layers of large random weights all tokens become one, and some gradients mere rounding.
  await agree('base, 12 layers', base(12), [4, 128], 0.02, { logits: 0.05, gradient: 0.1 });
}

async function agree(
  name: string,
  config: RobertaConfig,
  size: readonly [rows: number, tokens: number],
  deviation: number | undefined,
  bounds: Bounds,
): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'transformers-'));
  try {
    const folder = join(work, 'model');
    const values = loudValues(config, head, deviation);
    writeModel(folder, { config, head, labels: [], values }, '/nowhere');
    const settings = [true, false].map((padded) => ({
      name: `${name}, ${padded ? 'padded' : 'packed'}`,
      exact: join(work, `exact-${padded}`),
      rounded: join(work, `rounded-${padded}`),
      setting: { config, head, values, batch: makeBatch(config, head, padded, 9, size) } satisfies Setting,
    }));
    ask(
      settings.flatMap(({ exact, rounded, setting }) => {
        const request = { folder, device, batches: [rowsOf(setting.batch)] };
        return [
          { ...request, answer: exact },
          { ...request, answer: rounded, autocast: true },
        ];
      }),
    );
    for (const { name: title, exact, rounded, setting } of settings) {
      const wanted = answerOf(exact, setting.batch);
      await attempt(`${title}, fp32`, async () => compareExact(await ours(setting, torch, 'fp32'), wanted));
      await attempt(`${title}, bf16`, async () =>
        compareRounded(await ours(setting, torch, 'bf16'), answerOf(rounded, setting.batch), wanted, bounds),
      );
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function ask(requests: readonly unknown[]): void {
  const { status, stderr, error } = spawnSync(python, [oracle], {
    input: JSON.stringify(requests),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  if (status !== 0) throw new Error(`transformers does not answer: ${error?.message ?? stderr}`);
}

async function attempt(name: string, compare: () => Promise<[ok: boolean, text: string]>): Promise<void> {
  try {
    row(name, ...(await compare()));
  } catch (error) {
    row(name, false, error instanceof Error ? error.message : String(error));
  }
}

function compareExact(mine: Values, wanted: Values): [ok: boolean, text: string] {
  const found = errors(mine, wanted);
  const [at, most] = worst(found, '');
  return [
    most < 1e-4,
    `logits ${percent(found['logits'])}, loss ${percent(found['loss'])}, gradients at most ${percent(most)} (${at})`,
  ];
}

/** How far both are from float32: ours no more than twice as far as autocast. */
function compareRounded(mine: Values, theirs: Values, wanted: Values, bounds: Bounds): [ok: boolean, text: string] {
  const [ourErrors, theirErrors] = [errors(mine, wanted), errors(theirs, wanted)];
  const parts = (['logits', 'gradient'] as const).map((part) => {
    const [[, our], [, their]] = [worst(ourErrors, part), worst(theirErrors, part)];
    return {
      ok: our < bounds[part] && our < 2 * their,
      text: `${part} ${percent(our)} (autocast ${percent(their)})`,
    };
  });
  const loss = ourErrors['loss'] as number;
  return [
    loss < 0.02 && parts.every(({ ok }) => ok),
    `${parts.map(({ text }) => text).join(', ')}, loss ${percent(loss)} from fp32`,
  ];
}

function percent(share = Number.NaN): string {
  return `${(100 * share).toPrecision(2)}%`;
}
