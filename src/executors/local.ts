import { readdirSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { err, type Result } from '../core/result.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { ActionOutcome } from '../core/worker.ts';
import { Budget, type Grant } from './budget.ts';
import { interrupted, type Executor, type Job } from './executor.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

export interface LocalExecutorOptions {
  /** Compiled `worker-main.js`; default: the one next to this module. */
  readonly workerEntry?: string;
  /** Environment of workers. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Maximum number of actions at once; default: the number of CPUs. */
  readonly jobs?: number;
  readonly cpus?: number;
  /** Bytes; default: the machine's memory. */
  readonly memory?: number;
  /** GPU ids; default: those in `CUDA_VISIBLE_DEVICES`, or every `/dev/nvidia<n>`. */
  readonly gpus?: readonly string[];
  /** Time between asking an action to stop and killing it. */
  readonly graceMs?: number;
}

/** Runs actions in warm worker processes on this machine, within its CPUs, memory and GPUs. */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const cpus = options.cpus ?? availableParallelism();
  const limits = {
    cpus,
    jobs: options.jobs ?? cpus,
    memory: options.memory ?? totalmem(),
    gpus: options.gpus ?? findGpus(options.env),
  };
  const budget = new Budget(limits);
  const workerEntry = options.workerEntry ?? fileURLToPath(new URL('../worker/worker-main.js', import.meta.url));
  const graceMs = options.graceMs ?? 5_000;
  const workers = new Set<WorkerProcess>();
  const idle: { readonly worker: WorkerProcess; readonly devices: string }[] = [];

  const startOrReuse = (devices: string): WorkerProcess => {
    for (let index = idle.length - 1; index >= 0; index--) {
      const entry = idle[index]!;
      if (entry.worker.alive && entry.devices !== devices) continue;
      idle.splice(index, 1);
      if (entry.worker.alive) return entry.worker;
      workers.delete(entry.worker);
    }
    // One worker per running job is enough: an idle one for other devices is stopped.
    const surplus = workers.size >= limits.jobs ? idle.shift() : undefined;
    if (surplus !== undefined) void discard(surplus.worker);
    const worker = startWorker(workerEntry, {
      ...options.env,
      ...(limits.gpus.length > 0 ? { CUDA_VISIBLE_DEVICES: devices } : {}),
    });
    workers.add(worker);
    return worker;
  };
  const discard = async (worker: WorkerProcess): Promise<void> => {
    await worker.kill();
    workers.delete(worker);
  };

  const perform = async (job: Job<unknown>, grant: Grant): Promise<Result<ActionOutcome, Diagnostic>> => {
    const request = job.prepare();
    const devices = grant.gpus.join(',');
    const worker = startOrReuse(devices);
    let ending: Diagnostic | undefined;
    let lastResort: NodeJS.Timeout | undefined;
    const end = (why: Diagnostic): void => {
      if (ending !== undefined) return;
      ending = why;
      worker.terminate();
      lastResort = setTimeout(() => void worker.kill(), graceMs);
    };
    const onAbort = (): void => end(interruption(request.stage));
    const timer =
      job.timeoutMs === undefined
        ? undefined
        : setTimeout(() => end(timeout(request.stage, job.timeoutMs ?? 0)), job.timeoutMs);
    job.signal.addEventListener('abort', onAbort);
    job.onStart({ pid: worker.pid, gpus: grant.gpus });
    const result = await worker.run({ ...request, cpus: grant.cpus }, job.onMessage);
    job.signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
    clearTimeout(lastResort);
    if (result.ok && worker.alive && ending === undefined) idle.push({ worker, devices });
    else await discard(worker);
    return ending === undefined || result.ok ? result : err(ending);
  };

  return {
    capacity: { cpus: limits.cpus, memory: limits.memory, gpus: limits.gpus.length },

    async run(job) {
      const grant = await budget.acquire(job.resources, [job.signal, job.admission]);
      if (grant === undefined) return err(interruption());
      try {
        const result = await perform(job, grant);
        if (!job.isShard) grant.release();
        return result.ok ? await job.keep(result.value) : result;
      } finally {
        grant.release();
      }
    },
    async close() {
      await Promise.all([...workers].map((worker) => discard(worker)));
    },
  };
}

const interruption = (stage?: string): Diagnostic => ({
  code: interrupted,
  message: 'interrupted',
  ...(stage === undefined ? {} : { stage }),
});

const timeout = (stage: string, ms: number): Diagnostic => ({
  code: 'stage-timeout',
  stage,
  message: `Timed out after ${ms / 1000} s.`,
  help: 'Raise the timeout of the stage, or remove it.',
});

/**
 * Ids of the GPUs that stages may use, in the format of `CUDA_VISIBLE_DEVICES`: numbers, `GPU-<uuid>` or `MIG-<uuid>`.
 * As in CUDA, the first invalid entry ends the list.
 */
export function findGpus(env: LocalExecutorOptions['env']): string[] {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined) {
    const ids = visible.split(',').map((id) => id.trim());
    const end = ids.findIndex((id) => !/^(?:\d+|(?:GPU|MIG)-[\w/-]+)$/.test(id));
    return end === -1 ? ids : ids.slice(0, end);
  }
  try {
    return readdirSync('/dev')
      .flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? [])
      .sort((a, b) => Number(a) - Number(b));
  } catch {
    return [];
  }
}
