/**
 * Entry point of the process in which setup tests a backend: one AdamW step of a tiny model on it and on wasm. A crash
 * in native code ends only this process.
 */
import type { BackendChoice } from '../core/backend.ts';
import { losses } from './tiny-model.ts';

process.once('message', (choice: BackendChoice) => void run(choice));

async function run(choice: BackendChoice): Promise<void> {
  let answer: SelfCheckAnswer;
  try {
    answer = { losses: await losses(choice), reference: await losses('wasm') };
  } catch (error) {
    answer = { problem: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(answer, () => {
    process.disconnect();
  });
}

/** Loss before and after the step. */
export type SelfCheckAnswer =
  { readonly losses: readonly number[]; readonly reference: readonly number[] } | { readonly problem: string };
