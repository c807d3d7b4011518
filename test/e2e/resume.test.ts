import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { digestsOf, eventsOf, Project, samples, type AnyEvent, type CliResult } from '../rig/project.ts';

const jobs = 2;

/** Corpus stages, each with what it needs before it. */
const stages = [
  'wikipedia:  { uses: ingest-wikipedia, with: { dump: dumps/*.xml.bz2 } }',
  'crawl:      { uses: ingest-common-crawl, with: { path: crawl/*.gz } }',
  'books:      { uses: ingest-books, with: { path: books } }',
  'cleaned:    { uses: clean, inputs: { documents: books } }',
  'documents:  { uses: deduplicate, inputs: { documents: cleaned }, with: { method: minhash } }',
  'tokenizer:  { uses: train-tokenizer, inputs: { documents: documents }, with: { vocab_size: 400 } }',
  'tokens:     { uses: tokenize, inputs: { documents: documents, tokenizer: tokenizer }, with: { max_length: 32 } }',
  'masked:     { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: static,' +
    ' copies: 8 } }',
];
/** The steps of composite stages, in the order in which they run; of two that do not wait for each other, one. */
const steps: Readonly<Record<string, readonly string[]>> = {
  documents: ['documents/signatures', 'documents/clusters', 'documents/kept'],
  tokenizer: ['tokenizer/words', 'tokenizer/bpe'],
  masked: ['masked/copies', 'masked/plan'],
};
/** Those that are one action, which a kill costs: they read what those before them left of each shard. */
const single = ['documents/clusters', 'tokenizer/bpe', 'masked/plan'];
const nameOf = (stage: string): string => stage.split(':')[0]!;
const upTo = (count: number): string =>
  `name: p\nseed: 7\nstages:\n${stages
    .slice(0, count)
    .map((stage) => `  ${stage}\n`)
    .join('')}`;
const cases = stages.flatMap((line, index) =>
  (steps[nameOf(line)] ?? [nameOf(line)]).map((stage) => ({
    stage,
    file: `${nameOf(line)}.yaml`,
    lines: index + 1,
  })),
);

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
    for (const [index, part] of readFileSync(join(samples, 'books', file), 'utf8')
      .match(/[^]{2000}[^]*?\n\n|[^]+$/g)!
      .entries())
      project.write(`books/${index}-${file}`, part);
  return project;
}

/** Run until a stage has so many actions done, and kill it then: at once, with no chance to save anything. */
async function killedIn(project: Project, file: string, stage: string, done: number): Promise<CliResult> {
  const { child, ended } = project.start([file, '--json', '-j', String(jobs)]);
  let rest = '';
  let seen = 0;
  child.stdout!.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop()!;
    for (const event of eventsOf({ stdout: lines.join('\n') }))
      if (event.stage === stage && event.type === (done === 0 ? 'action-start' : 'action-end') && ++seen >= done)
        child.kill('SIGKILL');
  });
  return await ended;
}

const actions = (result: CliResult, stage: string, type: string): string[] =>
  eventsOf(result)
    .filter((event: AnyEvent) => event.type === type && event.stage === stage)
    .map(({ action }) => action!);

describe('a run that goes on after a kill repeats at most what each worker had under way', () => {
  const project = corpora();
  let expected: Record<string, string> = {};
  /** Of each case the run that was killed in it. */
  const killed: CliResult[] = [];
  /** And the one after it: that which is killed in the next case where that is of the same pipeline. */
  const resumed: CliResult[] = [];
  beforeAll(async () => {
    expected = await project.digests('undisturbed.yaml', '--store', project.path('other-store'));
    for (const [index, { stage, file, lines }] of cases.entries()) {
      project.write(file, upTo(lines));
      const run = await killedIn(project, file, stage, single.includes(stage) ? 0 : 2);
      killed.push(run);
      if (index > 0 && cases[index - 1]!.file === file) resumed.push(run);
      if (cases[index + 1]?.file === file) continue;
      const last = await project.run(file, '--json', '-j', String(jobs));
      expect(last.code, last.stdout + last.stderr).toBe(0);
      resumed.push(last);
    }
  });

  it.each(cases.map(({ stage }, index) => [stage, index] as const))('%s', (stage, index) => {
    const isPerShard = !single.includes(stage);
    const [before, after] = [killed[index]!, resumed[index]!];
    expect(before.signal).toBe('SIGKILL');
    const [began, ended, ranNow] = [
      actions(before, stage, 'action-start'),
      new Set(actions(before, stage, 'action-end')),
      actions(after, stage, 'action-start'),
    ];
    const planned = eventsOf(after).find((event) => event.type === 'stage-start' && event.stage === stage)!;
    const again = ranNow.filter((action) => began.includes(action));
    console.log(
      `${stage}: ${planned.actions} actions; ${ended.size} done when killed, ${began.length - ended.size} under ` +
        `way; ${ranNow.length} ran after it, ${again.length} of them for the second time`,
    );
    // In mid-stage: some were done, unless the stage is one action, and some were not.
    expect(ended.size).toBeGreaterThanOrEqual(isPerShard ? 2 : 0);
    expect(ranNow.length).toBeGreaterThan(isPerShard ? 2 : 0);
    expect(ranNow.filter((action) => ended.has(action))).toEqual([]);
    expect(again.length).toBeLessThanOrEqual(jobs);
    expect(planned.cached! + ranNow.length).toBe(planned.actions);
    expect(new Set(ranNow).size).toBe(ranNow.length);
    expect(digestsOf(after)[stage]).toBe(expected[stage]);
  });
});
