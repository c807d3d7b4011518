import { draw32 } from '../../src/ops/random.ts';
import type { Bridge, Handle } from '../../src/backends/torch/bridge.ts';
import { scalar } from '../../src/backends/torch/aten.ts';

/**
 * A bridge on which FlashAttention can be called without a GPU: computed here, by its definition. Its dropout is that
 * of
 * `ops/`, with the seed of the generator as the key, so that results can be compared with the composite's.
 */
export function withFlashAttention(bridge: Bridge): Bridge {
  const names = ['aten::_flash_attention_forward', 'aten::_flash_attention_backward'];
  const [forward, backward] = names.map((name) => bridge.op(name, ''));
  const to = bridge.op('aten::to', 'dtype');
  let [seed, strict] = [0, false];
  const bfloat16 = (values: Float32Array, shape: readonly number[]): Handle => {
    const wide = bridge.fromHost(values, shape, 'cpu');
    const narrow = bridge.call(to, wide, scalar.bfloat16) as Handle;
    bridge.free(wide);
    return narrow;
  };
  const host = (x: Handle): Float32Array => {
    if (bridge.info(x)[0] !== scalar.bfloat16) throw new TypeError('FlashAttention takes bfloat16 only');
    return bridge.toHost(x) as Float32Array;
  };
  const replaced: Partial<Bridge> = {
    op: (name, overload) => [forward, backward][names.indexOf(name)] ?? bridge.op(name, overload),
    seed: (value) => {
      seed = value;
    },
    strict: (on) => {
      strict = on;
    },
    call: (op, ...args) => {
      if (op === forward) {
        const [q, k, v, , , , , rate] = args as [Handle, Handle, Handle, null, null, number, number, number];
        const shape = bridge.info(q).slice(1) as Shape;
        const { out, logSums } = attend(shape, host(q), host(k), host(v), rate, seed);
        return [
          bfloat16(out, shape),
          bridge.fromHost(logSums, [shape[0], shape[2], shape[1]], 'cpu'),
          bridge.fromHost(Int32Array.of(seed), [1], 'cpu'),
        ];
      }
      if (op === backward) {
        if (!strict) throw new Error('its gradient would not be the same each time');
        const [dy, q, k, v, , logSums, , , , , rate, , random] = args as [
          Handle,
          Handle,
          Handle,
          Handle,
          Handle,
          Handle,
          null,
          null,
          number,
          number,
          number,
          boolean,
          Handle,
        ];
        const shape = bridge.info(q).slice(1) as Shape;
        return attendBackward(
          shape,
          host(dy),
          host(q),
          host(k),
          host(v),
          bridge.toHost(logSums) as Float32Array,
          rate,
          bridge.toHost(random)[0] as number,
        ).map((each) => bfloat16(each, shape));
      }
      return bridge.call(op, ...args);
    },
  };
  const own = Object.getOwnPropertyNames(bridge).map((name) => [name, bridge[name as keyof Bridge]] as const);
  return Object.assign(
    Object.fromEntries(own.map(([name, value]) => [name, typeof value === 'function' ? value.bind(bridge) : value])),
    replaced,
  ) as unknown as Bridge;
}

type Shape = [batch: number, length: number, heads: number, width: number];

const kept = (seed: number, index: number, rate: number): number =>
  draw32(seed, index) >>> 1 < Math.round(rate * 0x80000000) ? 0 : 1 / (1 - rate);

/** Call `use` for each query of each head, with the places of its row and of the rows of all keys. */
function each(
  [batch, length, heads, width]: Shape,
  use: (head: number, query: number, at: (token: number) => number) => void,
): void {
  for (let n = 0; n < batch; n++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < length; i++) use(n * heads + h, i, (token) => ((n * length + token) * heads + h) * width);
}

function dot(a: Float32Array, at: number, b: Float32Array, to: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += (a[at + c] as number) * (b[to + c] as number);
  return sum;
}

function attend(
  shape: Shape,
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  rate: number,
  seed: number,
): { out: Float32Array; logSums: Float32Array } {
  const [batch, length, heads, width] = shape;
  const [out, logSums] = [new Float32Array(q.length), new Float32Array(batch * heads * length)];
  each(shape, (head, i, at) => {
    const scores = Array.from({ length }, (_, j) => dot(q, at(i), k, at(j), width) / Math.sqrt(width));
    const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    logSums[head * length + i] = logSum;
    for (const [j, score] of scores.entries()) {
      const p = Math.exp(score - logSum) * kept(seed, (head * length + i) * length + j, rate);
      for (let c = 0; c < width; c++) out[at(i) + c] = (out[at(i) + c] as number) + p * (v[at(j) + c] as number);
    }
  });
  return { out, logSums };
}

function attendBackward(
  shape: Shape,
  dy: Float32Array,
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  logSums: Float32Array,
  rate: number,
  seed: number,
): [Float32Array, Float32Array, Float32Array] {
  const [, length, , width] = shape;
  const [dq, dk, dv] = [q, k, v].map((x) => new Float32Array(x.length)) as [Float32Array, Float32Array, Float32Array];
  each(shape, (head, i, at) => {
    const keep = Array.from({ length }, (_, j) => kept(seed, (head * length + i) * length + j, rate));
    const p = Array.from({ length }, (_, j) =>
      Math.exp(dot(q, at(i), k, at(j), width) / Math.sqrt(width) - (logSums[head * length + i] as number)),
    );
    const slopes = keep.map((scale, j) => scale * dot(dy, at(i), v, at(j), width));
    const total = slopes.reduce((sum, slope, j) => sum + slope * (p[j] as number), 0);
    for (let j = 0; j < length; j++) {
      const slope = ((p[j] as number) * ((slopes[j] as number) - total)) / Math.sqrt(width);
      for (let c = 0; c < width; c++) {
        dq[at(i) + c] = (dq[at(i) + c] as number) + slope * (k[at(j) + c] as number);
        dk[at(j) + c] = (dk[at(j) + c] as number) + slope * (q[at(i) + c] as number);
        dv[at(j) + c] = (dv[at(j) + c] as number) + (p[j] as number) * (keep[j] as number) * (dy[at(i) + c] as number);
      }
    }
  });
  return [dq, dk, dv];
}
