import { err } from '../../src/core/result.ts';
import type { ActionOutcome } from '../../src/core/worker.ts';
import { interrupted, type Executor } from '../../src/executors/executor.ts';
import { diagnosticOf, performAction } from '../../src/worker/perform-action.ts';
import { overChannel } from './over-channel.ts';

/** Runs actions in this process, where a test runs more of them than it can start workers for. */
export function createInProcessExecutor(): Executor {
  return {
    capacity: { cpus: 2, memory: 1 << 30, gpus: 0 },
    async run(job) {
      if (job.signal.aborted || job.admission.aborted) return err({ code: interrupted, message: 'interrupted' });
      const request = overChannel(job.prepare());
      job.onStart({ pid: 1, gpus: [] }); // no process of its own that a later run may have to end
      let outcome: ActionOutcome;
      try {
        outcome = overChannel(await performAction(request, (message) => job.onMessage(message), job.signal, {}));
      } catch (error) {
        return err(diagnosticOf(error, request.stage));
      }
      return job.keep(outcome);
    },
    close: async () => {},
  };
}
