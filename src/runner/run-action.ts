import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionKey } from '../core/artifact.ts';
import { Failure, type Diagnostic } from '../core/diagnostic.ts';
import { noSpace } from '../core/no-space.ts';
import type { EventBody } from '../core/event.ts';
import type { StageNode } from '../core/pipeline.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { WorkerMessage } from '../core/worker.ts';
import { interrupted, type Executor } from '../executors/executor.ts';
import type { ActionRecord } from '../plan/action-cache.ts';
import type { PlannedAction } from '../plan/planner.ts';
import { isUrl } from '../core/url.ts';
import type { Store } from '../store/store.ts';
import { actionRequest } from './action-request.ts';
import type { Attempts } from './attempts.ts';

const longestDelayMs = 60_000;

/** Shared by the actions of one run. */
export interface ActionContext {
  readonly store: Store;
  readonly executor: Executor;
  readonly contracts: string;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
  /** Aborted when nothing more may start. */
  readonly admission: AbortSignal;
  readonly retryDelayMs: number;
  readonly emit: (event: EventBody) => void;
  readonly inFlight: Map<ActionKey, Promise<unknown>>;
}

export interface ActionEnd {
  readonly record: ActionRecord;
  /** Whether it ran here, rather than meanwhile in another run or for another stage. */
  readonly ran: boolean;
}

/** Run an action that the store does not hold, unless another run does so first. Retries as the stage allows. */
export async function runAction(
  node: StageNode,
  action: PlannedAction,
  context: ActionContext,
): Promise<Result<ActionEnd, Diagnostic>> {
  const { inFlight } = context;
  for (let other = inFlight.get(action.key); other !== undefined; other = inFlight.get(action.key)) {
    await other;
    const record = context.store.lookup(action.key);
    if (record !== undefined) return ok({ record, ran: false });
  }
  const work = runLocked(node, action, context);
  inFlight.set(action.key, work);
  try {
    return await work;
  } finally {
    inFlight.delete(action.key);
  }
}

async function runLocked(
  node: StageNode,
  action: PlannedAction,
  context: ActionContext,
): Promise<Result<ActionEnd, Diagnostic>> {
  const { store, signal, admission, emit } = context;
  const ending = AbortSignal.any([signal, admission]);
  let lock;
  try {
    lock = await store.lock(action.key, {
      signal: ending,
      onWait: (owner) =>
        emit({
          type: 'log',
          stage: node.id,
          action: action.id,
          stream: 'log',
          text: `waiting for process ${owner.pid} on ${owner.host.split(':')[0]}, which is running the same action`,
        }),
    });
  } catch (error) {
    if (ending.aborted) return err({ code: interrupted, message: 'interrupted', stage: node.id });
    return err(systemDiagnostic(node, error));
  }
  try {
    const record = store.lookup(action.key);
    if (record !== undefined) return ok({ record, ran: false });
    for (let attempt = 1; ; attempt++) {
      const clock = { startedMs: performance.now() };
      const result = await runOnce(node, action, attempt, clock, context);
      const durationMs = Math.round(performance.now() - clock.startedMs);
      const again = !result.ok && attempt <= node.retries && !final.has(result.error.code) && !ending.aborted;
      const delayMs = Math.min(longestDelayMs, context.retryDelayMs * 2 ** (attempt - 1));
      if (result.ok || result.error.code !== notStarted)
        emit({
          type: 'action-end',
          stage: node.id,
          action: action.id,
          ok: result.ok,
          durationMs,
          ...(result.ok ? {} : { diagnostic: result.error }),
          ...(again ? { willRetryInMs: delayMs } : {}),
        });
      if (result.ok) return ok({ record: result.value, ran: true });
      if (!again) return err(result.error.code === notStarted ? { ...result.error, code: interrupted } : result.error);
      await sleep(delayMs, undefined, { signal: ending }).catch(() => {});
    }
  } finally {
    await lock.release();
  }
}

const notStarted = 'not-started';
/** Failures that a retry cannot fix. */
const final = new Set([interrupted, notStarted, 'source-changed']);

/** One attempt. The clock starts when it does: waiting for resources is not work. */
async function runOnce(
  node: StageNode,
  action: PlannedAction,
  attempt: number,
  clock: { startedMs: number },
  context: ActionContext,
): Promise<Result<ActionRecord, Diagnostic>> {
  const { store, executor, attempts, emit } = context;
  const at = { stage: node.id, action: action.id };
  let folder: string | undefined;
  try {
    const result = await executor.run({
      prepare: () => {
        folder = attempts.create();
        return actionRequest(node, action, folder, context.contracts, store);
      },
      resources: node.resources,
      ...(node.timeoutMs === undefined ? {} : { timeoutMs: node.timeoutMs }),
      signal: context.signal,
      admission: context.admission,
      onStart: ({ pid, gpus }) => {
        clock.startedMs = performance.now();
        attempts.noteWorker(pid);
        emit({ type: 'action-start', ...at, key: action.key, attempt, pid, gpus });
      },
      onMessage: (message) => {
        const event = eventOf(message, at);
        if (event !== undefined) emit(event);
      },
      isShard: node.type.map !== undefined,
      keep: async ({ outputs, metrics, gauges, drops }) => {
        const changed = changedSource(action, store);
        if (changed !== undefined)
          return err({
            code: 'source-changed',
            stage: node.id,
            location: node.location,
            message: `${node.id}: ${changed} changed while the stage was reading it; the result is discarded`,
            help: 'Run again once nothing writes to it.',
          });
        return ok(
          await store.publish({
            key: action.key,
            stage: node.id,
            attempt: folder ?? '',
            durationMs: Math.round(performance.now() - clock.startedMs),
            ingredients: action.ingredients,
            outcome: {
              outputs,
              metrics: Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value))),
              ...(gauges && { gauges }),
              ...(drops && { drops }),
            },
          }),
        );
      },
    });
    return !result.ok && folder === undefined ? err({ ...result.error, code: notStarted }) : result;
  } catch (error) {
    return err(systemDiagnostic(node, error));
  } finally {
    if (folder !== undefined) await attempts.remove(folder);
  }
}

/** A source whose bytes no longer match the action's key. */
function changedSource(action: PlannedAction, store: Store): string | undefined {
  const expected = action.ingredients['sources'] as Record<string, readonly (readonly [string, string])[]>;
  for (const [property, list] of Object.entries(action.sources))
    for (const [index, { uri }] of list.entries()) {
      if (isUrl(uri)) continue;
      try {
        if (store.digestFile(uri) !== expected[property]?.[index]?.[1]) return uri;
      } catch {
        return uri;
      }
    }
  return undefined;
}

function eventOf(
  message: WorkerMessage,
  at: { readonly stage: string; readonly action: string },
): EventBody | undefined {
  switch (message.type) {
    case 'progress':
      return { ...message, ...at };
    case 'log':
      return { ...message, ...at };
    case 'metric':
      return { ...message, stage: at.stage };
    case 'ready':
    case 'done':
    case 'failed':
      return undefined;
  }
}

/** A file system error or Failure as the user should see it; anything else is a bug and is thrown again. */
export function systemDiagnostic(node: StageNode, error: unknown): Diagnostic {
  if (error instanceof Failure) return { stage: node.id, ...error.diagnostic };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return {
    stage: node.id,
    ...(noSpace(error) ?? {
      code: 'store-unusable',
      message: `The store is not writable: ${message}`,
      help: 'Make its folder writable, or choose another with --store.',
    }),
  };
}
