import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inOrder, TaskPool } from '../threads/task-pool.ts';
import type { BatchPlan, BatchSourceInfo } from './batch-source.ts';
import { closeSource, tasks } from './batch-thread.ts';
import type { MaskedBatch } from './masked-batch.ts';

/** Number of steps whose batches are prepared, and in memory, while one step runs. */
const stepsAhead = 3;

let lastId = 0;

/**
 * The batches of a {@link BatchSource}, read, masked and laid out by another thread while earlier steps run, and moved
 * here. Errors of that thread are thrown here, in turn. When it runs from TypeScript sources, as in tests, there is no
 * compiled module for a thread, so the same batches are made in this one.
 * @example
 * const feed = await BatchFeed.open(plan);
 * try {
 *   for await (const batches of feed.steps(0, 1000)) …
 * } finally {
 *   await feed.close();
 * }
 */
export class BatchFeed {
  readonly info: BatchSourceInfo;
  /** How long {@link steps} has kept its caller waiting for data, in seconds. */
  waitedSeconds = 0;
  private readonly id: number;
  private readonly pool: TaskPool<typeof tasks>;

  private constructor(pool: TaskPool<typeof tasks>, id: number, info: BatchSourceInfo) {
    this.pool = pool;
    this.id = id;
    this.info = info;
  }

  /** @param url the compiled module of the tasks */
  static async open(plan: BatchPlan, url = new URL('./batch-thread.js', import.meta.url)): Promise<BatchFeed> {
    const pool = new TaskPool(tasks, url, 1, { beside: existsSync(fileURLToPath(url)) });
    const id = ++lastId;
    try {
      return new BatchFeed(pool, id, await pool.run('open', { id, plan }));
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** The batches of each step from `start` up to `end`. */
  async *steps(start: number, end: number): AsyncGenerator<MaskedBatch[]> {
    async function* numbers(): AsyncGenerator<number> {
      for (let step = start; step < end; step++) yield step;
    }
    let since = performance.now();
    for await (const batches of inOrder(numbers(), stepsAhead + 1, (step) =>
      this.pool.run('step', { id: this.id, step }),
    )) {
      this.waitedSeconds += (performance.now() - since) / 1000;
      yield batches;
      since = performance.now();
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
    closeSource(this.id);
  }
}
