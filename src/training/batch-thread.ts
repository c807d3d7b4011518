import { moving, serveTasks } from '../threads/task-pool.ts';
import { BatchSource, type BatchPlan, type BatchSourceInfo } from './batch-source.ts';
import type { MaskedBatch } from './masked-batch.ts';

const sources = new Map<number, BatchSource>();

/** The tasks of a {@link BatchFeed}; `id` is what its caller names a source with. */
export const tasks = {
  open({ id, plan }: { readonly id: number; readonly plan: BatchPlan }): BatchSourceInfo {
    const source = new BatchSource(plan);
    sources.set(id, source);
    return source.info;
  },

  step({ id, step }: { readonly id: number; readonly step: number }): MaskedBatch[] {
    const batches = (sources.get(id) as BatchSource).step(step);
    return moving(
      batches,
      batches.flatMap(({ input_ids, positions, labels }) => [input_ids, positions, labels]),
    );
  },
};

/** Close a source that this thread has; those of a thread that ended are closed with it. */
export function closeSource(id: number): void {
  sources.get(id)?.close();
  sources.delete(id);
}

serveTasks(tasks);
