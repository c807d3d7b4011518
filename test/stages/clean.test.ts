import { describe, expect, it } from 'vitest';
import clean from '../../stages/clean/index.ts';
import { datasetOf, document, runStage } from '../rig/run-stage.ts';
import { chineseArticle, englishArticle } from '../text/quality/articles.ts';

const documents = [
  document({ id: 'en', text: englishArticle, lang: '' }),
  document({ id: 'menu', text: `${englishArticle}\n\nHome About` }),
  document({ id: 'zh', text: chineseArticle, lang: '', snapshot: '2026-12-01' }),
  document({ id: 'de', text: 'Der Fluss entspringt in den Hügeln oberhalb der Stadt und fließt dann nach Süden ins Meer. '.repeat(2), snapshot: '2026-12-01' }),
  document({ id: 'short', text: 'The cat sat on the mat and that was all that it did in the whole of the afternoon.', source: 'crawl', snapshot: '' }),
  document({ id: 'empty', text: ' \n', source: 'crawl', snapshot: '' }),
];

describe('clean', () => {
  it('keeps good documents, sets their language, cuts shards by source and snapshot and counts the rest by reason', async () => {
    const input = await datasetOf('documents', documents);
    const { outputs, metrics } = await runStage(clean, { type: 'clean', config: { languages: ['en', 'zh'] }, inputs: { documents: input } });
    const rows = await outputs.documents!.rows();
    expect(rows.map(({ id, lang }) => [id, lang])).toEqual([['en', 'en'], ['menu', 'en'], ['zh', 'zh']]);
    expect(rows[1]!.text).toBe(englishArticle);
    expect(outputs.documents!.manifest.files.map(({ meta, rows: count }) => [meta, count])).toEqual([
      [{ source: 'test', snapshot: '2026-11-01', documents: 2 }, 2],
      [{ source: 'test', snapshot: '2026-12-01', documents: 1 }, 1],
    ]);
    expect(outputs.rejects!.manifest.files).toEqual([]);
    expect(metrics).toMatchObject({ 'documents.in': 6, 'documents.out': 3, 'dropped.language': 1, 'dropped.gopher_short': 1, 'dropped.empty': 1 });
  });

  it('writes rejects with their reason when asked', async () => {
    const input = await datasetOf('documents', documents);
    const { outputs } = await runStage(clean, { type: 'clean', config: { languages: ['zh'], keep_rejects: true }, inputs: { documents: input } });
    expect((await outputs.documents!.rows()).map((row) => row.id)).toEqual(['zh']);
    expect((await outputs.rejects!.rows()).map(({ id, reason }) => [id, reason])).toEqual([['en', 'language'], ['menu', 'language'], ['de', 'language'], ['short', 'language'], ['empty', 'empty']]);
  });

  it('keeps everything with text when all is switched off', async () => {
    const off = (): object => ({ enabled: false });
    const input = await datasetOf('documents', documents);
    const { outputs } = await runStage(clean, { type: 'clean', config: { min_language_score: 0, filters: { gopher_repetition: off(), gopher_quality: off(), c4: off(), fineweb: off() } }, inputs: { documents: input } });
    expect((await outputs.documents!.rows()).map((row) => row.id)).toEqual(['en', 'menu', 'zh', 'de', 'short']);
  });

  it('gives the same bytes twice', async () => {
    const input = await datasetOf('documents', documents);
    const once = async (): Promise<unknown> => (await runStage(clean, { type: 'clean', inputs: { documents: input } })).outputs.documents!.manifest;
    expect(await once()).toEqual(await once());
  });
});
