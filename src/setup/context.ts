import type { Installable } from '../backends/installation.ts';
import type { Recipe } from './recipe.ts';

/** What `setup` was asked for, and on which machine. */
export interface SetUpOptions {
  readonly backend: Installable;
  /** Folder of all installations. */
  readonly root: string;
  /** Use the packages of this Python. */
  readonly python?: string;
  /** Use this PyTorch or TensorFlow. */
  readonly folder?: string;
  /** Do everything anew. */
  readonly force: boolean;
  readonly compiler: string;
  /** How many NVIDIA GPUs the machine has. */
  readonly gpus: number;
  readonly signal: AbortSignal;
  readonly say: (step: SetUpStep) => void;
}

/** What setup does now, or has found or done. */
export interface SetUpStep {
  readonly name: 'machine' | 'compiler' | 'package' | 'modules' | 'bridge' | 'check';
  readonly done: boolean;
  readonly text: string;
}

/** What the steps share. */
export interface Context extends SetUpOptions {
  readonly recipe: Recipe;
  /** Folder of this backend's installation. */
  readonly home: string;
  /** Scratch space in it, gone with this setup or the next. */
  readonly scratch: string;
}
