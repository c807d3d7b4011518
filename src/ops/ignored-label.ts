/**
 * A label that {@link crossEntropy} passes over, as PyTorch and Hugging Face spell it: its row has no loss and no
 * gradient.
 */
export const ignoredLabel = -100;
