import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { ActionKey, Digest } from '../../src/core/artifact.ts';
import { sha256 } from '../../src/core/digest.ts';
import { buildView } from '../../src/store/artifact-view.ts';
import { openDigestCache } from '../../src/store/digest-cache.ts';
import { acquireLock } from '../../src/store/lock.ts';
import { collectGarbage, listActions, verifyStore } from '../../src/store/maintenance.ts';
import { currentOwner, startTime } from '../../src/store/owner.ts';
import { createStore, type Store } from '../../src/store/store.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'store-'));

async function publish(store: Store, name: string, text: string): Promise<ActionKey> {
  const attempt = folder();
  mkdirSync(join(attempt, 'out'));
  writeFileSync(join(attempt, 'out/a.txt'), text);
  const key = sha256(name) as string as ActionKey;
  const manifest = {
    version: 1,
    kind: 'folder',
    contract: 'c',
    files: [{ path: 'a.txt', digest: sha256(text), bytes: text.length }],
  } as const;
  await store.publish({
    key,
    stage: name,
    attempt,
    outcome: { outputs: { out: manifest }, metrics: {} },
    durationMs: 5,
    ingredients: { name },
  });
  return key;
}

describe('records', () => {
  test('a published action is found by another store on the folder; its objects are read-only', async () => {
    const root = folder();
    const key = await publish(createStore(root), 'one', 'hello');
    const store = createStore(root);
    expect(store.lookup(key)).toMatchObject({ stage: 'one', durationMs: 5 });
    expect(statSync(store.objectPath(sha256('hello'))).mode & 0o777).toBe(0o444);
    expect(store.lookup(sha256('two') as string as ActionKey)).toBeUndefined();
  });

  test('an object that can not be read is set aside, so that its record is no hit any more', async () => {
    const store = createStore(folder());
    const key = await publish(store, 'one', 'hello');
    const other = createStore(store.layout.root);
    const path = other.objectPath(sha256('hello'));
    execFileSync('rm', [path]);
    mkdirSync(path);
    expect(await other.findDamaged([sha256('hello')])).toEqual([sha256('hello')]);
    expect(() => statSync(path)).toThrow('ENOENT');
    await publish(other, 'one', 'hello');
    expect(await other.findDamaged([sha256('hello')])).toEqual([]);
    expect(other.lookup(key)).toBeDefined();
  });

  test('an output shorter than its manifest says is refused', async () => {
    const store = createStore(folder());
    const attempt = folder();
    mkdirSync(join(attempt, 'out'));
    writeFileSync(join(attempt, 'out/a.txt'), 'short');
    const manifest = {
      version: 1,
      kind: 'folder',
      contract: 'c',
      files: [{ path: 'a.txt', digest: sha256('longer text'), bytes: 11 }],
    } as const;
    await expect(
      store.publish({
        key: sha256('k') as string as ActionKey,
        stage: 's',
        attempt,
        outcome: { outputs: { out: manifest }, metrics: {} },
        durationMs: 1,
        ingredients: {},
      }),
    ).rejects.toThrow('has 5 bytes');
  });
});

describe('folders of artifacts', () => {
  const inode = (path: string): number => statSync(path).ino;

  test('one that is in use stays when its content is published again', async () => {
    const store = createStore(folder());
    const artifact = store.lookup(await publish(store, 'one', 'hello'))!.outputs['out']!;
    const before = inode(store.view(artifact));
    await publish(store, 'two', 'hello');
    expect(inode(store.view(artifact))).toBe(before);
  });

  test('one that another run built meanwhile stays', async () => {
    const store = createStore(folder());
    const artifact = store.lookup(await publish(store, 'one', 'hello'))!.outputs['out']!;
    let other: number | undefined;
    const path = buildView(store.layout, artifact, (digest) => {
      other ??= inode(store.view(artifact));
      return store.objectPath(digest);
    });
    expect(inode(path)).toBe(other);
    expect(readdirSync(store.layout.temporary)).toEqual([]);
  });

  test('one whose object was rebuilt is made anew', async () => {
    const store = createStore(folder());
    const artifact = store.lookup(await publish(store, 'one', 'hello'))!.outputs['out']!;
    const path = store.view(artifact);
    execFileSync('rm', ['-f', store.objectPath(sha256('hello'))]);
    await publish(store, 'one', 'hello');
    expect(inode(join(store.view(artifact), 'a.txt'))).toBe(inode(store.objectPath(sha256('hello'))));
    expect(readdirSync(path).sort()).toEqual(['a.txt', 'manifest.json']);
    expect(readdirSync(store.layout.temporary)).toEqual([]);
  });
});

describe('digests of sources', () => {
  test('an unchanged file is not read again, a changed one is, by content', () => {
    const root = folder();
    const path = join(root, 'in.txt');
    writeFileSync(path, 'one');
    execFileSync('sleep', ['0.1']);
    const cache = openDigestCache(join(root, 'digests.json'), root);
    expect(cache.digest(path)).toBe(sha256('one'));
    cache.save();
    expect(readdirSync(root)).toContain('digests.json');
    const { mtime } = statSync(path);
    writeFileSync(path, 'two');
    utimesSync(path, mtime, mtime);
    expect(openDigestCache(join(root, 'digests.json'), root).digest(path)).toBe(sha256('two'));
  });

  test.each(['', '{"a', '[]', '{"/x": 3}'])('a memo holding %j is ignored', (text) => {
    const root = folder();
    writeFileSync(join(root, 'digests.json'), text);
    writeFileSync(join(root, 'in.txt'), 'one');
    expect(openDigestCache(join(root, 'digests.json'), root).digest(join(root, 'in.txt'))).toBe(sha256('one'));
  });
});

describe('locks', () => {
  const { host, boot, pid, start } = currentOwner();
  const entry = (...parts: (string | number)[]): string =>
    [...parts, 'ffff'].map((part) => encodeURIComponent(part)).join('~');
  const long = new Date(Date.now() - 3_600_000);

  test.each([
    ['a dead pid', entry(host, boot, 4_000_000, '1')],
    ['a pid given to another process', entry(host, boot, pid, '1')],
    ['another boot', entry(host, 'other-boot', pid, start)],
    ['another host that stopped beating', entry('elsewhere', boot, pid, start), long],
    ['nonsense', 'what~is~this'],
  ])('a lock of %s is taken over', async (_, name, touched?: Date) => {
    const path = join(folder(), 'lock');
    mkdirSync(path);
    writeFileSync(join(path, name), '');
    utimesSync(join(path, name), touched ?? new Date(0), touched ?? new Date(0));
    await (await acquireLock(path)).release();
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  test.each([
    ['this host', () => spawn('sleep', ['30']), host],
    ['another host that beats', () => undefined, `${hostname()}-2`],
  ])('a live lock of %s is waited for', async (_, start_, owner) => {
    const path = join(folder(), 'lock');
    mkdirSync(path);
    const child = start_();
    const holder = child?.pid ?? 7;
    writeFileSync(join(path, entry(owner, boot, holder, startTime(holder) ?? '1')), '');
    const waited: number[] = [];
    const wait = acquireLock(path, {
      signal: AbortSignal.timeout(1_500),
      onWait: ({ pid: rival }) => void waited.push(rival),
    });
    await expect(wait).rejects.toMatchObject({ name: 'AbortError' });
    expect(waited).toEqual([holder]);
    child?.kill();
  });

  test('a heartbeat goes by the clock of the file system, not of this host', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.now() - 600_000 });
    try {
      const path = join(folder(), 'lock');
      const lock = await acquireLock(path);
      const [file = ''] = readdirSync(path);
      utimesSync(join(path, file), new Date(0), new Date(0));
      vi.advanceTimersByTime(5_000);
      expect(statSync(join(path, file)).mtimeMs).toBeGreaterThan(Date.now() + 300_000);
      await lock.release();
    } finally {
      vi.useRealTimers();
    }
  });

  test('one at a time, however many want it', async () => {
    const path = join(folder(), 'lock');
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const lock = await acquireLock(path);
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside -= 1;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
  });
});

describe('maintenance', () => {
  const old = { keepDays: 3, now: Date.now() + 10 * 86_400_000 };

  test('gc keeps what the latest state names, and nothing else of that age', async () => {
    const store = createStore(folder());
    const kept = await publish(store, 'kept', 'text of kept');
    const gone = await publish(store, 'gone', 'text of gone');
    store.saveLast('p', 'kept', { ingredients: {}, actions: [kept], outputs: {} });
    expect(collectGarbage(store.layout, { keepDays: 3 })).toEqual({ actions: 0, objects: 0, bytes: 0 });
    expect(collectGarbage(store.layout, { ...old, dryRun: true })).toEqual({ actions: 1, objects: 1, bytes: 12 });
    expect(
      listActions(store.layout)
        .map(({ record, bytes }) => [record.stage, bytes])
        .sort(),
    ).toEqual([
      ['gone', 12],
      ['kept', 12],
    ]);
    expect(collectGarbage(store.layout, old)).toEqual({ actions: 1, objects: 1, bytes: 12 });
    expect(store.lookup(kept)).toBeDefined();
    expect(store.lookup(gone)).toBeUndefined();
  });

  test('gc beside a long run leaves its journal and its checkpoints', () => {
    const { layout } = createStore(folder());
    const paths = [join(layout.runs, 'long'), join(layout.checkpoints, 'of-its-stage'), join(layout.runs, 'other')];
    for (const path of paths) mkdirSync(path, { recursive: true });
    mkdirSync(join(layout.attempts, 'long'), { recursive: true });
    writeFileSync(join(layout.attempts, 'long/owner.json'), JSON.stringify(currentOwner()));
    collectGarbage(layout, old);
    expect(paths.map((path) => existsSync(path))).toEqual([true, true, false]);
    writeFileSync(
      join(layout.attempts, 'long/owner.json'),
      JSON.stringify({ ...currentOwner(), host: 'a container that is gone' }),
    );
    collectGarbage(layout, old);
    expect(paths.map((path) => existsSync(path))).toEqual([true, true, false]);
    collectGarbage(layout, { keepDays: 3, now: Date.now() + 31 * 86_400_000 });
    expect([...paths, join(layout.attempts, 'long')].map((path) => existsSync(path))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('verify finds the damaged object and sets it aside', async () => {
    const store = createStore(folder());
    const key = await publish(store, 'one', 'hello');
    await publish(store, 'two', 'world');
    const path = store.objectPath(sha256('hello'));
    execFileSync('chmod', ['u+w', path]);
    writeFileSync(path, 'hellp');
    expect(verifyStore(createStore(store.layout.root))).toEqual({ checked: 2, damaged: [sha256('hello') as Digest] });
    expect(store.lookup(key)).toBeUndefined();
  });
});
