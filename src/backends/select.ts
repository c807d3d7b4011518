import { enableProdMode, ready, setBackend } from '@tensorflow/tfjs-core';
import type { BackendChoice, BackendName, Precision } from '../core/backend.ts';
import { fail } from '../core/diagnostic.ts';

export type { Precision };

/** The part of the planner's choice that is needed to start a backend. */
type NamedBackend = Pick<BackendChoice, 'name' | 'native'> & Partial<Pick<BackendChoice, 'device' | 'threads'>>;

/** The precision with which each backend was registered. */
const registered = new Map<BackendName, Precision>();

/**
 * Make a backend the current one for all tensor operations of this process. `wasm` and `cpu` need nothing but their
 * name; the others need what the planner chose. Fails with `backend-unavailable` when it does not start.
 */
export async function openBackend(backend: BackendName | NamedBackend, precision: Precision = 'fp32'): Promise<void> {
  const choice: NamedBackend = typeof backend === 'string' ? { name: backend } : backend;
  const problem =
    precision === 'bf16' && choice.name !== 'torch' ? 'it computes in fp32 only' : await start(choice, precision);
  if (problem === undefined) return;
  const help =
    choice.native === undefined
      ? "Reinstall the project's packages with npm ci."
      : `Set it up again with \`npx run-pipeline setup ${choice.name} --force\`, or use another backend.`;
  fail('backend-unavailable', `backend ${choice.name} does not start: ${problem}`, help);
}

/** Returns the problem, if there is one. */
async function start(choice: NamedBackend, precision: Precision): Promise<string | undefined> {
  try {
    // Otherwise tfjs prints advertisements to the console.
    enableProdMode();
    if (registered.get(choice.name) !== precision) {
      await register(choice, precision);
      registered.set(choice.name, precision);
    }
    if (choice.name === 'torch' && choice.threads !== undefined)
      (await import('./torch/index.ts')).useThreads(choice.threads);
    const started = await setBackend(choice.name);
    await ready();
    return started ? undefined : 'tfjs refused it';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function register({ name, native, device }: NamedBackend, precision: Precision): Promise<void> {
  switch (name) {
    case 'wasm':
      (await import('./wasm.ts')).registerWasm();
      return;
    case 'cpu':
      (await import('./cpu.ts')).registerCpu();
      return;
    case 'tensorflow':
      if (native?.modules === undefined) throw new Error('it is not set up');
      (await import('./tensorflow.ts')).registerTensorflow(native.bridge, native.modules, device ?? 'cpu');
      return;
    case 'torch':
      if (native === undefined) throw new Error('it is not set up');
      (await import('./torch/index.ts')).registerTorch(native.bridge, { precision, device: device ?? 'cpu' });
      return;
  }
}
