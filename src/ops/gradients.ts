import { getGradient, mul, registerGradient, reshape, split, square, sub, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Gradients of the few plain tfjs ops that the model uses between fused ones. tfjs-core's Node build registers none,
 * and its module with all of them is not loadable in Node.
 */
export function registerGradients(): void {
  if (getGradient('Tanh') !== undefined) return;
  // The model only adds tensors of equal shape (residuals, embeddings).
  registerGradient({ kernelName: 'Add', gradFunc: (dy) => ({ a: () => dy as Tensor, b: () => dy as Tensor }) });
  registerGradient({
    kernelName: 'Reshape',
    inputsToSave: ['x'],
    gradFunc: (dy, saved) => ({ x: () => reshape(dy as Tensor, (saved[0] as Tensor).shape) }),
  });
  registerGradient({
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, parts, attrs) => {
      const { axis } = attrs as unknown as { axis: number };
      const pieces = split(
        dy as Tensor,
        parts.map((part) => part.shape.at(axis) as number),
        axis,
      );
      return Object.fromEntries(pieces.map((piece, i) => [i, () => piece]));
    },
  });
  registerGradient({
    kernelName: 'Tanh',
    outputsToSave: [true],
    gradFunc: (dy, saved) => ({ x: () => mul(dy as Tensor, sub(1, square(saved[0] as Tensor))) }),
  });
}
