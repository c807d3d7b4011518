import { createRequire, Module } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import {
  add,
  argMax,
  cast,
  div,
  expandDims,
  gatherND,
  maximum,
  mul,
  notEqual,
  range,
  registerBackend,
  registerKernel,
  scalar,
  stack,
  sum,
  tidy,
  type KernelBackend,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { ignoredLabel } from '../ops/ignored-label.ts';
import type { FusedKernel } from '../ops/kernel.ts';

/** What of tfjs-node's backend this file uses: any TensorFlow op by name. */
type TensorflowBackend = KernelBackend & {
  readonly binding: Binding;
  executeSingleOutput(op: string, attributes: readonly Attribute[], inputs: readonly TensorInfo[]): Tensor;
  executeMultipleOutputs(
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly TensorInfo[],
    outputs: number,
  ): Tensor[];
};

type Attribute = { readonly name: string; readonly type: number; readonly value: number | boolean };

/** The bridge that setup compiled from tfjs-node's own sources. */
interface Binding {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_INT: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  isUsingGpuDevice(): boolean;
}

/**
 * Register TensorFlow through `@tensorflow/tfjs-node-gpu` in `modules`, over the bridge that setup compiled, and what
 * our ops need beyond it. TensorFlow uses a GPU when it finds one; this throws when it should use one and does not.
 */
export function registerTensorflow(bridge: string, modules: string, device: 'cpu' | 'cuda'): void {
  const load = createRequire(join(modules, 'package.json'));
  shimNode();
  shareCore(load, modules);
  const binding = load(bridge) as Binding;
  if (device === 'cuda' && !binding.isUsingGpuDevice())
    throw new Error(
      'TensorFlow does not find a GPU: its CUDA libraries (pip install tensorflow[and-cuda]) or a matching ' +
        'driver are missing',
    );
  const { NodeJSKernelBackend } = load('./dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: new (binding: Binding, name: string) => TensorflowBackend;
  };
  load('./dist/register_all_kernels.js');
  registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'));
  addOurKernels();
}

/** Functions that tfjs-node calls and Node 23 dropped; before that they print a warning. */
function shimNode(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

/**
 * Let tfjs-node's files find our tfjs-core where they ask for the union package: two cores would be two engines. Its
 * protocol buffers serve TensorBoard and saved models, which we write ourselves.
 */
function shareCore(load: NodeJS.Require, modules: string): void {
  const core: unknown = createRequire(import.meta.url)('@tensorflow/tfjs-core');
  const stand = (path: string, exports: unknown): void => {
    const module = new Module(path);
    Object.assign(module, { filename: path, exports, loaded: true });
    load.cache[path] = module;
  };
  stand(load.resolve('@tensorflow/tfjs'), core);
  stand(load.resolve('@tensorflow/tfjs-core'), core);
  stand(join(modules, 'dist/proto/api_pb.js'), {});
}

/**
 * Kernels that tfjs-node does not have, or implements with a one-hot matrix or a copy to the host. Our other ops run as
 * composites.
 */
function addOurKernels(): void {
  addKernel(
    'LogSoftmax',
    (backend, [logits]) => backend.executeSingleOutput('LogSoftmax', [type(backend, 'T', 'float32')], [logits]),
    ['logits'],
  );

  addKernel(
    'RpEmbedding',
    (backend, [table, ids]) =>
      backend.executeSingleOutput(
        'GatherV2',
        [
          { name: 'batch_dims', type: backend.binding.TF_ATTR_INT, value: 0 },
          type(backend, 'Tparams', 'float32'),
          type(backend, 'Tindices', 'int32'),
          type(backend, 'Taxis', 'int32'),
        ],
        [table, ids, scalar(0, 'int32')],
      ),
    ['table', 'ids'],
  );

  addKernel(
    'RpEmbeddingGrad',
    (backend, [dy, ids], { rows = 0 }) =>
      backend.executeSingleOutput(
        'UnsortedSegmentSum',
        [type(backend, 'T', 'float32'), type(backend, 'Tindices', 'int32'), type(backend, 'Tnumsegments', 'int32')],
        [dy, ids, scalar(rows, 'int32')],
      ),
    ['dy', 'ids'],
  );

  // TensorFlow takes no label that is not a class, so ignored ones become 0 and their rows weigh nothing.
  const classesOf = (labels: TensorInfo) => maximum(labels as Tensor, scalar(0, 'int32'));
  const weights = (labels: TensorInfo) => cast(notEqual(labels as Tensor, ignoredLabel), 'float32');
  /** The losses and, in place of the probabilities, their difference to the labels: the gradient but for its scale. */
  const lossesOf = (backend: TensorflowBackend, logits: TensorInfo, classes: TensorInfo) =>
    backend.executeMultipleOutputs(
      'SparseSoftmaxCrossEntropyWithLogits',
      [type(backend, 'T', 'float32'), type(backend, 'Tlabels', 'int32')],
      [logits, classes],
      2,
    ) as [Tensor, Tensor];
  addKernel(
    'RpCrossEntropy',
    (backend, [logits, labels], { divisor = 1 }) => {
      const [losses, difference] = lossesOf(backend, logits, classesOf(labels));
      return [div(sum(mul(losses, weights(labels))), divisor), difference];
    },
    ['logits', 'labels'],
  );
  addKernel(
    'RpCrossEntropyGrad',
    (backend, [dy, difference, labels], { divisor = 1 }) => {
      const times = (a: TensorInfo, b: TensorInfo) =>
        backend.executeSingleOutput('Mul', [type(backend, 'T', 'float32')], [a, b]);
      return times(difference, times(expandDims(weights(labels as TensorInfo), 1), times(dy, scalar(1 / divisor))));
    },
    ['dy', 'probabilities', 'labels'],
  );

  addKernel(
    'RpLabelScores',
    (backend, [logits, labels]) => {
      const known = classesOf(labels);
      // The losses are log Σ exp less the label's score; a composite of tfjs ops has the logits in memory twice more.
      const [losses] = lossesOf(backend, logits, known);
      const cells = stack([range(0, logits.shape[0] as number, 1, 'int32'), known], 1);
      const scores = gatherND(logits as Tensor, cells);
      return stack([add(losses, scores), scores, cast(argMax(logits as Tensor, 1), 'float32')], 1);
    },
    ['logits', 'labels'],
  );
}

type Inputs = readonly [TensorInfo, TensorInfo, ...TensorInfo[]];

function addKernel(
  kernelName: FusedKernel | 'LogSoftmax',
  run: (backend: TensorflowBackend, inputs: Inputs, attributes: Readonly<Record<string, number>>) => Tensor | Tensor[],
  names: readonly string[],
): void {
  registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, backend, attrs }) =>
      tidy(() =>
        run(
          backend as TensorflowBackend,
          names.map((name) => inputs[name]) as unknown as Inputs,
          (attrs ?? {}) as unknown as Record<string, number>,
        ),
      ),
  });
}

function type({ binding }: TensorflowBackend, name: string, dtype: 'float32' | 'int32'): Attribute {
  return { name, type: binding.TF_ATTR_TYPE, value: dtype === 'int32' ? binding.TF_INT32 : binding.TF_FLOAT };
}
