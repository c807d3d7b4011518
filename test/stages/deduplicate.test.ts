import { describe, expect, it } from 'vitest';
import { DigestIndex } from '../../src/corpus/digest-index.ts';
import { textDigest } from '../../src/text/minhash/text-signature.ts';
import refresh from '../../stages/refresh/index.ts';
import { runInPipeline } from '../rig/composite.ts';
import { datasetOf, datasetOfShellStep, document, runStage, type TestArtifact } from '../rig/run-stage.ts';

const deduplicated = async (documents: readonly TestArtifact[], config: Record<string, unknown> = {}) => {
  const { outputs, steps } = await runInPipeline('deduplicate', config, { documents });
  const rows = await outputs['documents']!.rows();
  return {
    rows,
    ids: rows.map((row) => row.id),
    files: outputs['documents']!.manifest.files,
    metrics: steps['kept']!,
    found: steps['clusters']!,
    signed: steps['signatures']!,
  };
};

const november = { source: 'test', snapshot: '2026-11-01' };
const december = { source: 'test', snapshot: '2026-12-01' };
const rowsOf = (snapshot: { source: string; snapshot: string }, texts: Record<string, string>) =>
  Object.entries(texts).map(([id, text]) => document({ ...snapshot, id, text }));

describe('deduplicate', () => {
  it('keeps the oldest snapshot of a text, then the first, whatever the order of the inputs', async () => {
    const newer = await datasetOf(
      'documents',
      rowsOf(december, { a2: 'one  text\n', b2: 'two', c2: 'three', c3: 'three' }),
      december,
    );
    const older = await datasetOf('documents', rowsOf(november, { a1: 'one text', d1: 'four' }), november);
    const { ids, metrics, found, files } = await deduplicated([newer, older]);
    expect(ids).toEqual(['b2', 'c2', 'a1', 'd1']);
    expect(metrics).toMatchObject({ 'documents.in': 6, 'documents.out': 4, 'dropped.duplicate': 2 });
    expect(found).toEqual({ documents: 6, duplicates: 2, near_duplicates: 0 });
    const [rewritten, linked] = files;
    expect(rewritten!.meta).toEqual({ ...december, documents: 2 });
    expect(linked!.digest).toBe(older.manifest.files[0]!.digest);
  });

  it('writes a shard anew that does not say what it holds', async () => {
    const mixed = await datasetOfShellStep('documents', [
      ...rowsOf(november, { a: 'one' }),
      ...rowsOf(december, { b: 'two' }),
    ]);
    expect(mixed.shards).toHaveLength(1);
    const { files } = await deduplicated([mixed]);
    expect(files.map((file) => file.meta)).toEqual([
      { ...november, documents: 1 },
      { ...december, documents: 1 },
    ]);
  });

  it('takes composed and decomposed letters for the same, upper and lower case not', async () => {
    const input = await datasetOf(
      'documents',
      rowsOf(november, { a: 'caf\u00e9', b: 'cafe\u0301', c: 'Caf\u00e9' }),
      november,
    );
    expect((await deduplicated([input])).ids).toEqual(['a', 'c']);
  });

  it('drops copies within a corpus, but not the repeats that refresh makes of it for its weight', async () => {
    const whole = await datasetOf('documents', rowsOf(november, { a: 'one', b: 'two' }), november);
    const partly = await datasetOf('documents', rowsOf(november, { c: 'three', d: 'two' }), november);
    const { outputs: window } = await runStage(refresh, {
      type: 'refresh',
      config: { weights: { test: 2 } },
      inputs: { documents: [whole, partly] },
    });
    expect(await window.documents!.rows()).toHaveLength(8);
    const { rows, metrics } = await deduplicated([window.documents!]);
    expect(rows.map((row) => row.text).sort()).toEqual(['one', 'one', 'three', 'three', 'two', 'two']);
    expect(metrics).toMatchObject({ 'documents.in': 8, 'documents.out': 6, 'dropped.duplicate': 2 });
  });

  it('leaves out a shard of which nothing is left', async () => {
    const first = await datasetOf('documents', rowsOf(november, { a: 'one' }), november);
    const second = await datasetOf('documents', rowsOf(december, { b: 'one' }), december);
    const { files } = await deduplicated([first, second]);
    expect(files.map((file) => file.digest)).toEqual([first.manifest.files[0]!.digest]);
  });
});

describe('deduplicate by MinHash', () => {
  const sentence = (n: number): string =>
    `Sentence number ${'abcdefghij'[n % 10]} of the ${'klmnopqrst'[Math.floor(n / 10) % 10]} part tells of ` +
    `things that are ${'uvwxyz'[n % 6]}${'abcdefg'[n % 7]}-like.`;
  const article = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, n) => sentence(from + n)).join(' ');
  const texts = { long: article(0, 30), edited: `${article(0, 29)} A new ending was written.`, other: article(50, 80) };
  const idsOf = async (inputs: readonly TestArtifact[], config = {}): Promise<unknown[]> =>
    (await deduplicated(inputs, { method: 'minhash', ...config })).ids;

  it('keeps the oldest of near-duplicates, counted apart from exact ones, whatever the order', async () => {
    const older = await datasetOf('documents', rowsOf(november, { old: texts.edited, other: texts.other }), november);
    const newer = await datasetOf(
      'documents',
      rowsOf(december, { new: texts.long, again: `${texts.other}  ` }),
      december,
    );
    expect(await idsOf([newer, older])).toEqual(['old', 'other']);
    expect(await idsOf([older, newer])).toEqual(['old', 'other']);
    const { metrics } = await deduplicated([newer, older], { method: 'minhash' });
    expect(metrics).toMatchObject({
      'documents.in': 4,
      'documents.out': 2,
      'dropped.duplicate': 1,
      'dropped.near_duplicate': 1,
    });
  });

  it('keeps the same one of a snapshot whatever the order', async () => {
    const both = [
      await datasetOf('documents', rowsOf(november, { a: texts.long }), november),
      await datasetOf('documents', rowsOf(november, { b: texts.edited }), november),
    ];
    const kept = await idsOf(both);
    expect(kept).toHaveLength(1);
    expect(await idsOf(both.toReversed())).toEqual(kept);
  });

  it('compares within snapshots only, when told, and keeps what is less alike than asked for', async () => {
    const older = await datasetOf(
      'documents',
      rowsOf(november, { a1: texts.long, b1: texts.other, b2: texts.other }),
      november,
    );
    const newer = await datasetOf('documents', rowsOf(december, { a2: texts.long, a3: texts.edited }), december);
    expect(await idsOf([older, newer])).toEqual(['a1', 'b1']);
    expect(await idsOf([older, newer], { within: 'snapshot' })).toHaveLength(3);
    expect(await idsOf([older, newer], { within: 'snapshot', min_similarity: 1 })).toEqual(['a1', 'b1', 'a2', 'a3']);
  });
});

describe('cluster-duplicates', () => {
  const inputs = async () => [
    await datasetOf(
      'documents',
      rowsOf(november, { a: 'one text', b: 'Some words that nobody else has.', none: ' — ' }),
      november,
    ),
    await datasetOf(
      'documents',
      rowsOf(december, { a2: 'one  text', b2: 'Some words that nobody else has!', c: 'three' }),
      december,
    ),
  ];

  it.each([
    [{}, 5],
    [{ method: 'minhash' }, 4],
    [{ method: 'minhash', within: 'snapshot' }, 6],
    [{ within: 'snapshot' }, 6],
  ] as const)('%o', async (config, left) => {
    expect((await deduplicated(await inputs(), config)).ids).toHaveLength(left);
  });

  it('of a shard that is there twice one stays', async () => {
    const [one] = await inputs();
    expect((await deduplicated([one!, { ...one! }])).ids).toEqual(['a', 'b', 'none']);
  });

  it('signs a shard that refresh repeats once', async () => {
    const { outputs } = await runStage(refresh, {
      type: 'refresh',
      config: { weights: { test: 3 } },
      inputs: { documents: [(await inputs())[0]!] },
    });
    const { ids, signed } = await deduplicated([outputs.documents!]);
    expect(signed['documents.in']).toBe(3);
    expect(ids).toHaveLength(9);
  });

  it('fails on a repeat whose first copy is not among the documents', async () => {
    const [one, two] = await inputs();
    const { outputs } = await runStage(refresh, {
      type: 'refresh',
      config: { weights: { test: 2 } },
      inputs: { documents: [one!] },
    });
    const { manifest, shards } = outputs.documents!;
    const repeats = manifest.files.flatMap((file, i) => (file.meta?.copy === 2 ? [i] : []));
    expect(repeats).toHaveLength(1);
    const orphans = {
      ...outputs.documents!,
      manifest: { ...manifest, files: repeats.map((i) => manifest.files[i]!) },
      shards: repeats.map((i) => shards[i]!),
    };
    await expect(deduplicated([orphans, two!])).rejects.toThrow('repeats a shard that is not among the documents');
  });
});

describe('DigestIndex', () => {
  it('numbers digests like a Map does, past several growths', () => {
    const index = new DigestIndex();
    const map = new Map<string, number>();
    for (let n = 0; n < 20_000; n++) {
      const digest = textDigest(String((n * 7919) % 9001));
      const key = digest.join(' ');
      if (!map.has(key)) map.set(key, map.size);
      expect(index.number(digest)).toBe(map.get(key));
    }
    expect(index.size).toBe(9001);
    const byDigest = [...map]
      .sort(([a], [b]) => Number(a.split(' ')[0]) - Number(b.split(' ')[0]))
      .map(([, number]) => number);
    expect([...map.values()].sort((a, b) => index.compare(a, b))).toEqual(byDigest);
  });
});
