import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StageType } from '../../src/core/stage.ts';

const exported = new Map<number, unknown>();
const paths = new Map<unknown, string>();
(globalThis as Record<string, unknown>)['stagesOfTests'] = exported;

/**
 * The path of a module whose default export is this very stage, for what loads stages by path. It hands over the object
 * that the test imported instead of importing its file again, so spies and fakes work too.
 */
export function moduleOf(stage: StageType<never>): string {
  let path = paths.get(stage);
  if (path === undefined) {
    const number = exported.size;
    exported.set(number, stage);
    path = join(mkdtempSync(join(tmpdir(), 'stage-module-')), 'index.mjs');
    writeFileSync(path, `export default globalThis.stagesOfTests.get(${number});\n`);
    paths.set(stage, path);
  }
  return path;
}
