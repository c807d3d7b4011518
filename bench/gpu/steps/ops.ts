/**
 * Every op of the torch backend, forward and backward, beside what plain JavaScript and WebAssembly compute: the cases
 * of test/conformance, in both precisions, with our kernels and with ATen's alone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { openBackend, type Precision } from '../../../src/backends/select.ts';
import { TorchBackend } from '../../../src/backends/torch/backend.ts';
import { registerTorch } from '../../../src/backends/torch/index.ts';
import { registerGradients } from '../../../src/ops/index.ts';
import { answer, differenceOf } from '../../../test/conformance/kernels-compare.ts';
import { kernelFamilies } from '../../../test/conformance/kernels-rows.ts';
import { definitions } from '../../../test/conformance/ops-by-definition.ts';
import { opCases, wideOpCases, type OpCase } from '../../../test/conformance/ops-cases.ts';
import { compositeValues, farthest, valueAndGradients } from '../../../test/conformance/ops-compare.ts';
import { flashDropout } from '../../../test/conformance/ops-flash-dropout.ts';
import { row } from '../row.mjs';
import { torchOn } from '../torch-on.ts';

const { device = 'cuda' } = parseArgs({ options: { device: { type: 'string' } } }).values;
const torch = torchOn(device);
const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));

registerGradients();
const expected = new Map([...(await compositeValues(opCases))]);
await openBackend('wasm');
for (const each of wideOpCases) expected.set(each.name, valueAndGradients(each));
await openBackend(torch);
const backend = tf.backend() as TorchBackend;
const before = tf.memory().numTensors;

for (const precision of ['fp32', 'bf16'] as const)
  for (const portable of [false, true]) {
    const name = `${precision}${portable ? ', ATen alone' : ''}`;
    use(precision, portable);
    await nextTurn(); // warnings are emitted then
    if (device === 'cuda' && !portable)
      row(
        `kernels of ours, ${name}`,
        backend.usesGpuKernels,
        backend.usesGpuKernels ? 'NVRTC compiles them, and they load' : (warnings.at(-1) ?? 'they are not used'),
      );
    await compare(`ops in ${name}`, [...opCases, ...wideOpCases], (each) => compareOp(each, precision));
  }

use('fp32', false);
await compare('definitions', definitions, ({ run }) => {
  const rows = run().map(({ what, actual, expected: wanted }) => ({ what, away: farthest(actual, wanted) }));
  return judge(Math.max(0, ...rows.map(({ away }) => away)), 1e-4);
});
if (device === 'cuda') {
  use('bf16', false);
  if (backend.hasFlashAttention)
    await compare('FlashAttention with dropout', flashDropout(), ({ actual, expected: wanted }) =>
      judge(farthest(actual, wanted), 0.05),
    );
  else row('FlashAttention with dropout', false, 'FlashAttention is not used here');
}
use('fp32', false);
const missed = await notCalled();
row(
  'coverage',
  missed.length === 0,
  missed.length === 0 ? 'every kernel of ours was called' : `not called: ${missed.join(', ')}`,
);

const calls = Object.values(kernelFamilies)
  .flat()
  .map(([name, call]) => ({ name, call }));
await compare("tfjs's kernels", calls, async ({ call }) => {
  await openBackend('cpu');
  const wanted = await answer(call);
  await openBackend(torch);
  return { away: 0, problem: differenceOf(await answer(call), wanted, 1e-4) };
});
const left = tf.memory().numTensors - before;
row('memory', left === 0, `${left} tensors are left behind`);

function use(precision: Precision, portable: boolean): void {
  registerTorch(torch.native?.bridge ?? '', { device: torch.device as 'cuda' | 'cpu', precision, portable });
}

interface Verdict {
  readonly away: number;
  readonly problem?: string | undefined;
}

function compareOp(each: OpCase, precision: Precision): Verdict {
  // Compared by flashDropout, which knows what was dropped.
  if (each.flashDrops === true && backend.hasFlashAttention) return { away: 0 };
  const actual = valueAndGradients(each);
  const verdict = judge(
    farthest(actual, expected.get(each.name) ?? []),
    precision === 'fp32' ? 1e-4 : wideOpCases.includes(each) ? 0.1 : 0.05,
  );
  const again = valueAndGradients(each);
  return actual.every((values, i) => sameBits(values, again[i] as Float32Array))
    ? verdict
    : { ...verdict, problem: `${verdict.problem ?? ''} other bits the second time`.trim() };
}

function judge(away: number, tolerance: number): Verdict {
  return { away, problem: away <= tolerance ? undefined : `${away.toExponential(1)} away` };
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

/** One row for all: how many agree, how far the farthest is away, and what is wrong with the others. */
async function compare<T extends object>(
  name: string,
  items: readonly T[],
  verdictOf: (item: T) => Verdict | Promise<Verdict>,
): Promise<void> {
  const problems: string[] = [];
  let most: { away: number; name: string } = { away: 0, name: '' };
  for (const item of items) {
    const label = 'name' in item ? String(item.name) : 'what' in item ? String(item.what) : '';
    try {
      const { away, problem } = await verdictOf(item);
      if (problem !== undefined) problems.push(`${label}: ${problem}`);
      if (away >= most.away) most = { away, name: label };
    } catch (error) {
      problems.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (const problem of problems) console.error(`${name}: ${problem}`);
  row(
    name,
    items.length > 0 && problems.length === 0,
    `${items.length - problems.length} of ${items.length} agree` +
      (most.away > 0 ? `, ${most.away.toExponential(1)} away at most (${most.name})` : '') +
      (problems[0] === undefined ? '' : `; ${problems[0].split('\n')[0]}`),
    { problems },
  );
}

/**
 * Kernels of ours that no case needs. Watched one by one, calls are slow and wait for each other: hence a pass of its
 * own.
 */
async function notCalled(): Promise<string[]> {
  const { kernelNames, result } = await tf.profile(() => {
    for (const each of opCases) valueAndGradients(each);
    for (const { run } of definitions) run();
    return tf.scalar(0);
  });
  (result as tf.Tensor).dispose();
  return tf
    .getKernelsForBackend('torch')
    .map(({ kernelName }) => kernelName)
    .filter((name) => name.startsWith('Rp') && !kernelNames.includes(name));
}
