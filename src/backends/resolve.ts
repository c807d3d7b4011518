import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BackendChoice } from '../core/backend.ts';
import { fail } from '../core/diagnostic.ts';
import { installable, readInstallation, type Installable, type Installation } from './installation.ts';

export interface BackendSurroundings {
  /** Folder of what `run-pipeline setup` made, one folder a backend. */
  readonly root: string;
  /** How many GPUs this machine offers to stages. */
  readonly gpus: number;
}

/**
 * Decide which backend a pipeline's `backend:` stands for on this machine, at plan time because numerics depend on it.
 * `auto` is the first that is there of torch, tensorflow, wasm and cpu; the answer says why. Fails with
 * `backend-missing` when the one asked for is not set up.
 */
export function createBackendResolver({
  root,
  gpus: machineGpus,
}: BackendSurroundings): (name: string, gpus?: number) => BackendChoice {
  const found = new Map<Installable, ReturnType<typeof readInstallation>>();
  const installation = (backend: Installable): ReturnType<typeof readInstallation> => {
    const known = found.get(backend) ?? readInstallation(root, backend);
    found.set(backend, known);
    return known;
  };
  return (name, gpus) => {
    const usesGpu = Math.min(machineGpus, gpus ?? 1) > 0;
    const chosen = (of: Installation, reason: string): BackendChoice => ({
      ...choiceOf(of, usesGpu, reason),
      ...(of.cuda && machineGpus === 0 ? { hint: 'it has CUDA, but this machine shows no GPU' } : {}),
    });
    if (name === 'auto') {
      for (const backend of installable) {
        const result = installation(backend);
        if (result.ok) return chosen(result.value, 'the fastest that is set up');
      }
      const why = installable.flatMap((backend) => {
        const result = installation(backend);
        return result.ok ? [] : [`${backend} ${result.error}`];
      });
      return {
        ...embedded(hasWasm() ? 'wasm' : 'cpu', why.join(', ')),
        hint: '`npx run-pipeline setup torch` makes training many times faster',
      };
    }
    if (name === 'wasm' || name === 'cpu') return embedded(name, 'the pipeline asks for it');
    if (name !== 'torch' && name !== 'tensorflow') return fail('backend-unknown', `There is no backend "${name}".`);
    const result = installation(name);
    if (!result.ok)
      return fail(
        'backend-missing',
        `backend: ${name} ${result.error}`,
        `run \`npx run-pipeline setup ${name}\`, or use \`backend: auto\``,
      );
    return chosen(result.value, 'the pipeline asks for it');
  };
}

/** An installation as the choice of a stage that may use a GPU or not. */
export function choiceOf(installation: Installation, usesGpu: boolean, reason: string): BackendChoice {
  const { backend, version, addon, sources, modules, cuda } = installation;
  const device = cuda && usesGpu ? 'cuda' : 'cpu';
  const hint =
    backend === 'torch' && device === 'cuda'
      ? { hint: 'untested on a GPU so far; `resources: { gpus: 0 }` computes on the CPU' }
      : {};
  return {
    name: backend,
    version,
    device,
    native: { addon, sources, ...(modules === undefined ? {} : { modules }) },
    reason,
    ...hint,
  };
}

const require = createRequire(import.meta.url);

/** Of what a plain install brings along. */
function embedded(name: 'wasm' | 'cpu', reason: string): BackendChoice {
  const { version } = JSON.parse(
    readFileSync(require.resolve(`@tensorflow/tfjs-backend-${name}/package.json`), 'utf8'),
  ) as { version: string };
  return { name, version, device: 'cpu', reason };
}

/** Node without a JIT (`--jitless`) has no WebAssembly. */
function hasWasm(): boolean {
  return 'WebAssembly' in globalThis;
}
