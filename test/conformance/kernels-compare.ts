import * as tf from '@tensorflow/tfjs-core';

/** What a call gave. */
export interface Answer {
  readonly values: readonly { readonly shape: number[]; readonly dtype: string; readonly data: number[] }[];
  /** The kernels that made it. */
  readonly kernels: readonly string[];
}

/** Make a call on the current backend. */
export async function answer(run: () => tf.Tensor | tf.Tensor[]): Promise<Answer> {
  let values: Answer['values'] = [];
  const { kernelNames, result } = await tf.profile(() => {
    tf.tidy(() => {
      values = [run()].flat().map((each) => ({ shape: each.shape, dtype: each.dtype, data: [...each.dataSync()] }));
    });
    return tf.scalar(0);
  });
  (result as tf.Tensor).dispose();
  return { values, kernels: kernelNames };
}

/** How two answers differ by more than `tolerance` of a value and one, if they do. */
export function differenceOf(
  { values: actual }: Answer,
  { values: expected }: Answer,
  tolerance: number,
): string | undefined {
  const types = (of: Answer['values']) => of.map(({ shape, dtype }) => `${dtype}[${shape.join(', ')}]`).join(', ');
  if (types(actual) !== types(expected)) return `${types(actual)} instead of ${types(expected)}`;
  for (const [i, { data }] of actual.entries())
    for (const [at, value] of data.entries()) {
      const wanted = expected[i]?.data[at] as number;
      const isClose = Number.isFinite(wanted)
        ? Math.abs(value - wanted) <= tolerance * (1 + Math.abs(wanted))
        : Object.is(value, wanted);
      if (!isClose) return `${value} instead of ${wanted} at ${at}`;
    }
  return undefined;
}
