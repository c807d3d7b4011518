import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import clean from '../../stages/clean/index.ts';
import { datasetOf, document, runStage } from '../rig/run-stage.ts';
import { chineseArticle, englishArticle } from '../text/filters/articles.ts';

const documents = [
  document({ id: 'en', text: englishArticle, lang: '' }),
  document({ id: 'menu', text: `${englishArticle}\n\nHome About` }),
  document({ id: 'zh', text: chineseArticle, lang: '', snapshot: '2026-12-01' }),
  document({
    id: 'de',
    text: 'Der Fluss entspringt in den Hügeln oberhalb der Stadt und fließt dann nach Süden ins Meer. '.repeat(2),
    snapshot: '2026-12-01',
  }),
  document({
    id: 'short',
    text: 'The cat sat on the mat and that was all that it did in the whole of the afternoon.',
    source: 'crawl',
    snapshot: '',
  }),
  document({ id: 'empty', text: ' \n', source: 'crawl', snapshot: '' }),
];

describe('clean', () => {
  it('keeps good documents, sets their language, cuts shards by source and snapshot, counts the rest', async () => {
    const input = await datasetOf('documents', documents);
    const { outputs, metrics } = await runStage(clean, {
      type: 'clean',
      config: { languages: ['en', 'zh'] },
      inputs: { documents: input },
    });
    const rows = await outputs.documents!.rows();
    expect(rows.map(({ id, lang }) => [id, lang])).toEqual([
      ['en', 'en'],
      ['menu', 'en'],
      ['zh', 'zh'],
    ]);
    expect(rows[1]!.text).toBe(englishArticle);
    expect(outputs.documents!.manifest.files.map(({ meta, rows: count }) => [meta, count])).toEqual([
      [{ source: 'test', snapshot: '2026-11-01', documents: 2 }, 2],
      [{ source: 'test', snapshot: '2026-12-01', documents: 1 }, 1],
    ]);
    expect(outputs.rejects!.manifest.files).toEqual([]);
    expect(metrics).toMatchObject({
      'documents.in': 6,
      'documents.out': 3,
      'dropped.language': 1,
      'dropped.gopher_short': 1,
      'dropped.empty': 1,
    });
  });

  it('writes rejects with their reason when asked', async () => {
    const input = await datasetOf('documents', documents);
    const { outputs } = await runStage(clean, {
      type: 'clean',
      config: { languages: ['zh'], keep_rejects: true },
      inputs: { documents: input },
    });
    expect((await outputs.documents!.rows()).map((row) => row.id)).toEqual(['zh']);
    expect((await outputs.rejects!.rows()).map(({ id, reason }) => [id, reason])).toEqual([
      ['en', 'language'],
      ['menu', 'language'],
      ['de', 'language'],
      ['short', 'language'],
      ['empty', 'empty'],
    ]);
  });

  it('keeps everything with text when all is switched off', async () => {
    const off = (): object => ({ enabled: false });
    const input = await datasetOf('documents', documents);
    const { outputs } = await runStage(clean, {
      type: 'clean',
      config: {
        min_language_score: 0,
        filters: { gopher_repetition: off(), gopher_quality: off(), c4: off(), fineweb: off() },
      },
      inputs: { documents: input },
    });
    expect((await outputs.documents!.rows()).map((row) => row.id)).toEqual(['en', 'menu', 'zh', 'de', 'short']);
  });

  it('gives the same bytes twice', async () => {
    const input = await datasetOf('documents', documents);
    const once = async (): Promise<unknown> =>
      (await runStage(clean, { type: 'clean', inputs: { documents: input } })).outputs.documents!.manifest;
    expect(await once()).toEqual(await once());
  });

  it('drops documents that hold a part of an evaluation set, whatever its typography and file format', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evaluation-'));
    const leaked = 'trout rest in the shade of the PLANKS -- on warm afternoons: dogs should be kept on a lead';
    const files = {
      'dev.tsv': `sentence\tlabel\n${leaked}\t1\n`,
      'dev.jsonl': `${JSON.stringify({ data: [{ question: leaked }] })}\n`,
      'dev.txt': `first line\n${leaked}\n`,
      'dev.csv': `sentence,label\n"${leaked}",1\n`,
    };
    const input = await datasetOf('documents', documents.slice(0, 1));
    const run = async (name: string, content: string, config = {}): Promise<Record<string, number>> => {
      writeFileSync(join(folder, name), content);
      return (
        await runStage(clean, {
          type: 'clean',
          config,
          sources: { evaluation_sets: [join(folder, name)] },
          inputs: { documents: input },
        })
      ).metrics;
    };
    for (const [name, content] of Object.entries(files))
      expect(await run(name, content), name).toMatchObject({ 'dropped.evaluation_set': 1, 'documents.out': 0 });
    expect(
      await run('other.txt', 'trout rest in the shade of the planks on warm days and dogs are kept on a lead'),
    ).toMatchObject({ 'documents.out': 1, evaluation_ngrams: 6 });
    expect(await run('dev.tsv', files['dev.tsv'], { evaluation_ngram: 20 })).toMatchObject({
      'documents.out': 1,
      evaluation_ngrams: 0,
    });
    await expect(run('bad.jsonl', '{}\n{')).rejects.toMatchObject({
      diagnostic: { code: 'bad-evaluation-set', message: 'bad.jsonl:2 is not JSON.' },
    });
  });

  it('puts placeholders for personal data, and counts them', async () => {
    const input = await datasetOf('documents', [
      document({
        id: 'a',
        text:
          `${englishArticle}\n\nThe miller answers letters to j.miller+mill@valley.co.uk, and calls to +44 20 7946 ` +
          '0958.',
      }),
    ]);
    const { outputs, metrics } = await runStage(clean, { type: 'clean', inputs: { documents: input } });
    expect(String((await outputs.documents!.rows())[0]!.text).slice(englishArticle.length + 2)).toBe(
      'The miller answers letters to email@example.com, and calls to +1 555 0100.',
    );
    expect(metrics).toMatchObject({ 'pii.email': 1, 'pii.phone_number': 1 });
    const { outputs: left } = await runStage(clean, {
      type: 'clean',
      config: { pii: { enabled: false } },
      inputs: { documents: input },
    });
    expect(String((await left.documents!.rows())[0]!.text)).toContain('j.miller+mill@valley.co.uk');
  });
});
