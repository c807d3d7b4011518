import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/model/safetensors.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/training/checkpoint.ts';
import { Project, statesOf } from '../rig/project.ts';
import { because } from '../rig/skipped.ts';

const GiB = 2 ** 30;

/** Why files of these sizes cannot be written here; printed, and the tests' reason to skip. */
const missing = ((): string | undefined => {
  const { bavail, bsize } = statfsSync(tmpdir());
  const [disk, memory] = [bavail * bsize, process.availableMemory()];
  if (disk >= 8 * GiB && memory >= 6 * GiB) return undefined;
  const free = (bytes: number): string => (bytes / GiB).toFixed(1);
  return `they need 8 GiB of disk and 6 GiB of memory; free are ${free(disk)} and ${free(memory)}`;
})();

describe.skipIf(missing !== undefined)(`large files${because(missing)}`, () => {
  it('a checkpoint above 2 GiB, with one tensor above 2 GiB, is written and read again', () => {
    const directory = mkdtempSync(join(tmpdir(), 'large-'));
    // Zeros take no memory before they are written to; all values but the last stay zeros.
    const large = new Float32Array(2 ** 29 + 1000);
    large[large.length - 1] = 7;
    const tensors = new Map([
      ['large', { shape: [large.length], data: large }],
      ['small', { shape: [3], data: Float32Array.of(1, 2, 3) }],
    ]);
    expect(large.byteLength).toBeGreaterThan(2 * GiB);
    saveCheckpoint(directory, { step: 1, progress: {}, tensors });

    const warnings: string[] = [];
    const loaded = loadCheckpoint(directory, (message) => warnings.push(message));
    expect(warnings).toEqual([]);
    expect(loaded?.tensors.get('small')?.data).toEqual(Float32Array.of(1, 2, 3));
    const read = loaded?.tensors.get('large')?.data;
    expect(read?.length).toBe(large.length);
    expect(read?.at(-1)).toBe(7);
    let sum = 0;
    for (const value of read ?? []) sum += value;
    expect(sum).toBe(7);
    rmSync(directory, { recursive: true });
  });

  it('a tensor that lies beyond 4 GiB is read from there', () => {
    const directory = mkdtempSync(join(tmpdir(), 'large-'));
    const file = join(directory, 'model.safetensors');
    const before = GiB + 1000;
    const header = JSON.stringify({
      before: { dtype: 'F32', shape: [before], data_offsets: [0, 4 * before] },
      last: { dtype: 'F32', shape: [2], data_offsets: [4 * before, 4 * before + 8] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(file, Buffer.concat([length, Buffer.from(header)]));
    const end = 8 + header.length + 4 * before;
    truncateSync(file, end); // a hole, which takes no disk
    const fd = openSync(file, 'r+');
    writeSync(fd, new Uint8Array(Float32Array.of(5, 6).buffer), 0, 8, end);
    closeSync(fd);
    expect(openSafetensors(file).get('last')!.read()).toEqual(Float32Array.of(5, 6));
    rmSync(directory, { recursive: true });
  });

  it('an output above 4 GiB is sealed, published, verified and handed on', async () => {
    const size = 4 * GiB + 4096;
    const project = new Project({
      'p.yaml': `name: p
stages:
  make: { run: "truncate -s ${size} $OUT_FOLDER/weights", outputs: { folder: files } }
  read: { run: "stat -Lc %s $IN_FOLDER/weights > $OUT_SIZE/size", inputs: { folder: make }, outputs: { size: files } }
`,
    });
    const first = await project.run('p.yaml', '--json');
    expect(first.code, first.stdout + first.stderr).toBe(0);
    expect(project.read('outputs/p/read/size').trim()).toBe(String(size));
    const second = await project.run('p.yaml', '--json', '--verify');
    expect(second.code, second.stdout + second.stderr).toBe(0);
    expect(new Set(Object.values(statesOf(second)))).toEqual(new Set(['cached']));
    rmSync(project.folder, { recursive: true, force: true });
  });
});
