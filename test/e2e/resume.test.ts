import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestsOf, eventsOf, Project, samples, type AnyEvent, type CliResult } from '../rig/project.ts';

const jobs = 2;

/** Corpus stages, each with what it needs before it; those that `deduplicate`, `train-tokenizer` and `mask` imply are written out. */
const stages = [
  'wikipedia:  { uses: ingest-wikipedia, with: { dump: dumps/*.xml.bz2 } }',
  'crawl:      { uses: ingest-common-crawl, with: { path: crawl/*.gz } }',
  'books:      { uses: ingest-books, with: { path: books } }',
  'cleaned:    { uses: clean, inputs: { documents: books } }',
  'signatures: { uses: sign, inputs: { documents: cleaned } }',
  'duplicates: { uses: find-duplicates, inputs: { documents: cleaned, signatures: signatures }, with: { method: minhash } }',
  'documents:  { uses: deduplicate, inputs: { documents: cleaned, duplicates: duplicates } }',
  'words:      { uses: count-words, inputs: { documents: documents } }',
  'tokenizer:  { uses: train-tokenizer, inputs: { documents: documents, word_counts: words }, with: { vocab_size: 400 } }',
  'tokens:     { uses: tokenize, inputs: { documents: documents, tokenizer: tokenizer }, with: { max_length: 32 } }',
  'counts:     { uses: count-tokens, inputs: { sequences: tokens.sequences, tokenizer: tokenizer } }',
  'copies:     { uses: mask-copies, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { copies: 8 } }',
  'masked:     { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer, token_counts: counts, copies: copies.copies, copy_metrics: copies.metrics }, with: { mode: static, copies: 8 } }',
];
/** Those that are one action, which a kill costs: they read what those before them left of each shard. */
const single = ['duplicates', 'tokenizer', 'masked'];
const nameOf = (stage: string): string => stage.split(':')[0]!;
const upTo = (count: number): string => `name: p\nseed: 7\nstages:\n${stages.slice(0, count).map((stage) => `  ${stage}\n`).join('')}`;

/** Files and shards enough for a kill to find some done, some under way and some not begun. */
function corpora(): Project {
  const project = new Project({ 'undisturbed.yaml': upTo(stages.length) });
  for (const folder of ['dumps', 'crawl', 'books']) project.write(`${folder}/.keep`, '');
  const copies = (from: string, name: RegExp, to: (name: string, copy: number) => string, count: number): void => {
    for (const file of readdirSync(join(samples, from)).filter((other) => name.test(other)))
      for (let copy = 1; copy <= count; copy++) copyFileSync(join(samples, from, file), project.path(to(file, copy)));
  };
  copies('wikipedia', /articles\.xml/, (file, copy) => `dumps/${file.replace('2026', `${2026 - copy}`)}`, 3);
  copies('crawl', /warc\.gz/, (file, copy) => `crawl/${file.replace('2026', `${2026 - copy}`)}`, 4);
  for (const file of readdirSync(join(samples, 'books')))
    for (const [index, part] of readFileSync(join(samples, 'books', file), 'utf8').match(/[^]{2000}[^]*?\n\n|[^]+$/g)!.entries())
      project.write(`books/${index}-${file}`, part);
  return project;
}

/** Run until a stage has so many actions done, and kill it then: at once, with no chance to save anything. */
async function killedIn(project: Project, stage: string, done: number): Promise<CliResult> {
  const { child, ended } = project.start([`${stage}.yaml`, '--json', '-j', String(jobs)]);
  let rest = '';
  let seen = 0;
  child.stdout!.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop()!;
    for (const event of eventsOf({ stdout: lines.join('\n') }))
      if (event.stage === stage && event.type === (done === 0 ? 'action-start' : 'action-end') && ++seen >= done) child.kill('SIGKILL');
  });
  return await ended;
}

const actions = (result: CliResult, type: string): string[] => eventsOf(result).filter((event: AnyEvent) => event.type === type).map(({ action }) => action!);

const project = corpora();
const expected = project.digests('undisturbed.yaml', '--store', project.path('other-store'));

it.each(stages.map((stage, index) => [nameOf(stage), index] as const))('%s: a run that goes on after a kill repeats at most what each worker had under way', async (stage, index) => {
  project.write(`${stage}.yaml`, upTo(index + 1));
  const isPerShard = !single.includes(stage);
  const killed = await killedIn(project, stage, isPerShard ? 2 : 0);
  expect(killed.signal).toBe('SIGKILL');
  const resumed = await project.run(`${stage}.yaml`, '--json', '-j', String(jobs));
  expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);

  const [began, ended, ranNow] = [actions(killed, 'action-start'), new Set(actions(killed, 'action-end')), actions(resumed, 'action-start')];
  const planned = eventsOf(resumed).find((event) => event.type === 'stage-start' && event.stage === stage)!;
  const again = ranNow.filter((action) => began.includes(action));
  console.log(`${stage}: ${planned.actions} actions; ${ended.size} done when killed, ${began.length - ended.size} under way; ${ranNow.length} ran after it, ${again.length} of them for the second time`);
  // In mid-stage: some were done, unless the stage is one action, and some were not.
  expect(ended.size).toBeGreaterThanOrEqual(isPerShard ? 2 : 0);
  expect(ranNow.length).toBeGreaterThan(isPerShard ? 2 : 0);
  expect(ranNow.filter((action) => ended.has(action))).toEqual([]);
  expect(again.length).toBeLessThanOrEqual(jobs);
  expect(planned.cached! + ranNow.length).toBe(planned.actions);
  expect(new Set(ranNow).size).toBe(ranNow.length);
  expect(digestsOf(resumed)[stage]).toBe((await expected)[stage]);
});
