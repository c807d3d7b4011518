// The tasks of bench.mjs: as `tasks` for our pool, as functions of the module for tinypool and piscina.
import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import { moving, serveTasks } from '../../dist/src/threads/task-pool.js';

export const tasks = {
  /** A batch of 32×128: token ids, masked positions, labels. */
  batch(step) {
    const made = madeBatch(step);
    return moving(made, Object.values(made));
  },
  pages,
};

/** What a peer's thread was told; tinypool wraps it. */
const told = Array.isArray(workerData) ? workerData[1] : workerData;
const library = told?.peers && (await import(createRequire(told.peers).resolve(told.from)));
const Pool = library?.Tinypool ?? library?.default.Piscina;

/** The peers' symbols say what to move. */
export function batch(step) {
  const made = madeBatch(step);
  const buffers = Object.values(made).map(({ buffer }) => buffer);
  return Pool.move({ [Pool.transferableSymbol]: buffers, [Pool.valueSymbol]: made });
}

/** Pages in, rows out. */
export function pages({ pages: all }) {
  return all.map(({ id, title, text }) => ({ id, title, text: text.slice(1), lang: 'en', meta: '{}' }));
}

function madeBatch(step) {
  return {
    input_ids: new Int32Array(4096).fill(step),
    positions: new Int32Array(614).fill(step),
    labels: new Int32Array(614).fill(step),
  };
}

serveTasks(tasks);
