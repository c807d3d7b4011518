import type { Resources } from '../core/pipeline.ts';

/** The resources that actions may occupy at once, limited by the machine or `--jobs`. */
export interface Limits {
  readonly jobs: number;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Ids in the format of `CUDA_VISIBLE_DEVICES`. */
  readonly gpus: readonly string[];
}

/** What a stage requests beyond the whole budget: `cpus: 8 of 2, gpus: 1 of 0`; `undefined` if it fits. */
export function shortfall(need: Resources, capacity: Resources): string | undefined {
  const gibibytes = (bytes: number): string => String(Number((bytes / 2 ** 30).toFixed(1)));
  const parts = [
    // Stages that use every core request infinitely many.
    ...(need.cpus > capacity.cpus && Number.isFinite(need.cpus) ? [`cpus: ${need.cpus} of ${capacity.cpus}`] : []),
    ...(need.gpus > capacity.gpus ? [`gpus: ${need.gpus} of ${capacity.gpus}`] : []),
    ...(need.memory > capacity.memory
      ? [`memory: ${gibibytes(need.memory)} of ${gibibytes(capacity.memory)} GiB`]
      : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

export interface Grant {
  readonly cpus: number;
  readonly gpus: readonly string[];
  release(): void;
}

/**
 * Grants resources first come, first served. A small request may overtake a large waiting one, but not delay it: what
 * the first in the queue needs is reserved. Requests larger than the budget are reduced to it.
 */
export class Budget {
  private readonly limits: Limits;
  private readonly queue: { readonly need: Resources; readonly grant: (grant: Grant) => void }[] = [];
  private readonly freeGpus: string[];
  private jobs: number;
  private cpus: number;
  private memory: number;

  constructor(limits: Limits) {
    this.limits = limits;
    this.jobs = limits.jobs;
    this.cpus = limits.cpus;
    this.memory = limits.memory;
    this.freeGpus = [...limits.gpus];
  }

  /** Resolves to `undefined` when the signal ends the wait. */
  acquire(resources: Resources, signals: readonly AbortSignal[]): Promise<Grant | undefined> {
    if (signals.some(({ aborted }) => aborted)) return Promise.resolve(undefined);
    const need = {
      cpus: Math.min(resources.cpus, this.limits.cpus),
      memory: Math.min(resources.memory, this.limits.memory),
      gpus: Math.min(resources.gpus, this.limits.gpus.length),
    };
    return new Promise((resolve) => {
      const stop = (): void => {
        const index = this.queue.indexOf(entry);
        if (index >= 0) this.queue.splice(index, 1);
        settle(undefined);
        this.serve();
      };
      const settle = (grant: Grant | undefined): void => {
        for (const signal of signals) signal.removeEventListener('abort', stop);
        resolve(grant);
      };
      const entry = { need, grant: settle };
      for (const signal of signals) signal.addEventListener('abort', stop);
      this.queue.push(entry);
      this.serve();
    });
  }

  private serve(): void {
    const held = { jobs: 0, cpus: 0, memory: 0, gpus: 0 };
    for (let index = 0; index < this.queue.length && this.jobs - held.jobs > 0;) {
      const entry = this.queue[index]!;
      const { need } = entry;
      const fits =
        need.cpus <= this.cpus - held.cpus &&
        need.memory <= this.memory - held.memory &&
        need.gpus <= this.freeGpus.length - held.gpus;
      if (fits) {
        this.queue.splice(index, 1);
        entry.grant(this.take(need));
      } else {
        if (index === 0) Object.assign(held, { jobs: 1, ...need });
        index += 1;
        if (index > 64) return;
      }
    }
  }

  private take(need: Resources): Grant {
    this.jobs -= 1;
    this.cpus -= need.cpus;
    this.memory -= need.memory;
    const gpus = this.freeGpus.splice(0, need.gpus);
    let released = false;
    return {
      cpus: need.cpus,
      gpus,
      release: () => {
        if (released) return;
        released = true;
        this.jobs += 1;
        this.cpus += need.cpus;
        this.memory += need.memory;
        this.freeGpus.push(...gpus);
        this.freeGpus.sort((a, b) => this.limits.gpus.indexOf(a) - this.limits.gpus.indexOf(b));
        this.serve();
      },
    };
  }
}
