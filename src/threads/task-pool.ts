import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Failure, type Diagnostic } from '../core/diagnostic.ts';

/** Named functions on plain data that can run in another thread. */
export type Tasks = Readonly<Record<string, (input: never) => unknown>>;
type Input<T extends Tasks, Name extends keyof T> = Parameters<T[Name]>[0];
type Output<T extends Tasks, Name extends keyof T> = Awaited<ReturnType<T[Name]>>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}
type Reply = { readonly id: number } & (
  { readonly output: unknown } | { readonly diagnostic: Diagnostic } | { readonly error: unknown }
);

/**
 * Runs tasks in worker threads, or in this one when there is only one core to use; with `beside`, in their own thread
 * even then. The module at `url` must define the same tasks and end with {@link serveTasks}. Faster than tinypool and
 * piscina: see bench/threads.
 * @example
 * const pool = new TaskPool(tasks, new URL('./tasks.js', import.meta.url), context.cpus);
 * for await (const rows of inOrder(batches, pool.size * 2, (batch) => pool.run('extract', batch))) …
 */
export class TaskPool<T extends Tasks> {
  /** Number of tasks that run at a time. */
  readonly size: number;
  private readonly tasks: T;
  private readonly workers: { readonly thread: Worker; readonly waiting: Map<number, Settle> }[] = [];
  private lastId = 0;

  constructor(tasks: T, url: URL, size: number, { beside = false } = {}) {
    this.tasks = tasks;
    this.size = Math.max(1, Math.floor(size));
    if (this.size > 1 || beside) for (let i = 0; i < this.size; i++) this.start(url);
  }

  async run<Name extends keyof T & string>(name: Name, input: Input<T, Name>): Promise<Output<T, Name>> {
    if (this.workers.length === 0) return (await this.tasks[name]?.(input)) as Output<T, Name>;
    const worker = this.workers.reduce((least, other) => (other.waiting.size < least.waiting.size ? other : least));
    const request: Request = { id: ++this.lastId, name, input };
    return new Promise<Output<T, Name>>((resolve, reject) => {
      worker.waiting.set(request.id, { resolve: (output) => resolve(output as Output<T, Name>), reject });
      worker.thread.postMessage(request);
    });
  }

  /** Stop the threads, even if they are busy. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map(({ thread }) => thread.terminate()));
  }

  private start(url: URL): void {
    const waiting = new Map<number, Settle>();
    const thread = new Worker(url, { workerData: { servesTasks: true } });
    const fail = (error: unknown): void => {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    thread.on('message', (reply: Reply) => {
      const settle = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('output' in reply) settle?.resolve(reply.output);
      else settle?.reject('diagnostic' in reply ? new Failure(reply.diagnostic) : reply.error);
    });
    thread.on('error', fail);
    thread.on('exit', (code) => fail(new Error(`a worker thread exited with ${code}`)));
    this.workers.push({ thread, waiting });
  }
}

interface Settle {
  resolve(output: unknown): void;
  reject(error: unknown): void;
}

const moved = new WeakMap<object, readonly ArrayBuffer[]>();

/** A task's output that is moved to the caller's thread, not copied: these buffers are empty here afterwards. */
export function moving<T extends object>(output: T, views: readonly ArrayBufferView[]): T {
  moved.set(
    output,
    views.map(({ buffer }) => buffer as ArrayBuffer),
  );
  return output;
}

/** Answer the requests of a {@link TaskPool}; does nothing in a thread that is not one of its workers. */
export function serveTasks(tasks: Tasks): void {
  const port = parentPort;
  if (isMainThread || port === null || (workerData as { servesTasks?: boolean } | null)?.servesTasks !== true) return;
  const answer = async ({ id, name, input }: Request): Promise<Reply> => {
    try {
      return { id, output: await tasks[name]?.(input as never) };
    } catch (error) {
      return error instanceof Failure ? { id, diagnostic: error.diagnostic } : { id, error };
    }
  };
  const buffersOf = (reply: Reply): readonly ArrayBuffer[] =>
    ('output' in reply && typeof reply.output === 'object' && reply.output !== null
      ? moved.get(reply.output)
      : undefined) ?? [];
  port.on(
    'message',
    (request: Request) => void answer(request).then((reply) => port.postMessage(reply, buffersOf(reply))),
  );
}

/** Process a stream's items, at most `limit` at a time, and return the results in the order of the items. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const pending: Promise<Result>[] = [];
  for await (const item of items) {
    const promise = work(item);
    // One that fails while others are awaited is reported in its turn.
    promise.catch(() => {});
    pending.push(promise);
    if (pending.length >= limit) yield await (pending.shift() as Promise<Result>);
  }
  for (const promise of pending) yield await promise;
}
