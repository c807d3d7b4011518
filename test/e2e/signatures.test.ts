import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { manifestOf, rowsOf } from '../rig/artifact.ts';
import { digestsOf, eventsOf, Project, samples, statesOf, type CliResult } from '../rig/project.ts';

const pipeline = `name: p
stages:
  crawl:      { uses: ingest-common-crawl, with: { path: crawl/*.gz } }
  documents:  { uses: deduplicate, inputs: { documents: crawl }, with: { method: minhash } }
`;
const startedOf = (result: CliResult, stage: string): number =>
  eventsOf(result).filter((event) => event.type === 'action-start' && event.stage === stage).length;
const signed = (result: CliResult): number => startedOf(result, 'documents/signatures');
const metricsOf = (result: CliResult) =>
  eventsOf(result).find((event) => event.type === 'stage-end' && event.stage === 'documents')?.metrics;

describe('signatures, when a crawl is added', () => {
  const project = new Project({ 'p.yaml': pipeline });
  const add = (name: string): void => project.write(`crawl/${name}`, readFileSync(join(samples, 'crawl', name)));
  const run = async (...args: string[]): Promise<CliResult> => {
    const result = await project.run(...args, '--json');
    expect(result.code, result.stdout + result.stderr).toBe(0);
    return result;
  };
  const [first = '', ...later] = readdirSync(join(samples, 'crawl')).sort();
  const results: CliResult[] = [];
  beforeAll(async () => {
    add(first);
    results.push(await run('p.yaml'));
    for (const name of later) {
      add(name);
      results.push(await run('p.yaml'));
    }
  });

  it('only its shard is signed', () => {
    expect(results.map(signed)).toEqual([1, 1, 1]);
    expect(
      results
        .map((result) =>
          eventsOf(result).find((event) => event.type === 'stage-start' && event.stage === 'documents/signatures'),
        )
        .map((event) => [event?.actions, event?.cached]),
    ).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
  });

  it('only shards of which something else is dropped now are written anew', () => {
    // the third changes what is kept of the second
    expect(results.map((result) => startedOf(result, 'documents/kept'))).toEqual([1, 1, 2]);
  });

  it('a run from scratch gives the same', async () => {
    const scratch = await run('p.yaml', '--store', project.path('scratch'));
    expect(signed(scratch)).toBe(3);
    expect(digestsOf(scratch)).toEqual(digestsOf(results.at(-1)!));
    expect(metricsOf(scratch)!['dropped.duplicate']! + metricsOf(scratch)!['dropped.near_duplicate']!).toBeGreaterThan(
      10,
    );
  });

  it('a config that only a stage before it reads is in the key of that one', async () => {
    const result = await run('p.yaml', '--set', 'stages.documents.with.min_similarity=0.69999');
    expect(statesOf(result)).toEqual({
      crawl: 'cached',
      'documents/signatures': 'cached',
      'documents/clusters': 'ran',
      'documents/kept': 'cached',
      documents: 'ran',
    });
  });

  it('equal words of other documents are no reason to learn from them again', async () => {
    project.write(
      'words.yaml',
      `${pipeline}  tokenizer:  { uses: train-tokenizer, inputs: { documents: crawl }, with: { vocab_size: 300 } }\n`,
    );
    await run('words.yaml');
    const result = await run('words.yaml', '--set', 'stages.crawl.with.source=elsewhere');
    expect(statesOf(result)).toMatchObject({ crawl: 'ran', 'tokenizer/words': 'ran', 'tokenizer/bpe': 'cached' });
  });

  it('of a shard that comes twice one stays', async () => {
    project.write(
      'twice.yaml',
      pipeline
        .replace('documents:  {', 'again: { uses: ingest-common-crawl, with: { path: crawl/*.gz } }\n  documents:  {')
        .replace('documents: crawl', 'documents: [crawl, again]'),
    );
    const result = await run('twice.yaml');
    const digests = () => manifestOf(project.path('outputs/p/documents')).files.map(({ digest }) => digest);
    const twice = digests();
    expect(metricsOf(result)!['dropped.duplicate']).toBeGreaterThan(240);
    await run('p.yaml');
    expect(digests()).toEqual(twice);
  });

  it('when a crawl is taken away nothing is signed', async () => {
    rmSync(project.path('crawl', later.at(-1)!));
    const result = await run('p.yaml');
    expect(statesOf(result)).toMatchObject({ 'documents/signatures': 'cached' });
    expect(digestsOf(result)['documents']).toBe(digestsOf(results.at(-2)!)['documents']);
  });

  it('takes some 200 bytes a document, however long it is', async () => {
    const { files } = manifestOf(project.path('outputs/p/documents.steps/signatures'));
    const documents = (await rowsOf(project.path('outputs/p/crawl'))).length;
    expect(files.reduce((sum, { rows = 0 }) => sum + rows, 0)).toBe(documents);
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0) / documents).toBeLessThan(300);
  });
});
