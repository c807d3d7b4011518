import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { eventsOf, Project, samples, type AnyEvent } from '../rig/project.ts';
import { expectFailure } from '../rig/steps.ts';

/** The compiled project: pretraining and evaluation have a thread beside them. */
const pipeline = `name: p
seed: 7
backend: wasm
vars: { steps: 40 }
stages:
  books:     { uses: ingest-books, with: { path: books } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: books }, with: { vocab_size: 300 } }
  tokens:    { uses: tokenize, inputs: { documents: books, tokenizer: tokenizer }, with: { max_length: 32, held_out: 0.5 } }
  masked:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: importance } }
  pretrain:
    uses: pretrain
    inputs: { masked: masked, tokenizer: tokenizer }
    with: { hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, max_length: 32, batch_size: 8, max_steps: "\${{ vars.steps }}", logging_steps: 2, save_steps: 1000 }
  evaluate:  { uses: evaluate, inputs: { model: pretrain, sequences: tokens.held_out } }
`;
const project = new Project({ 'p.yaml': pipeline });
for (const name of readdirSync(join(samples, 'books')))
  project.write(`books/${name}`, readFileSync(join(samples, 'books', name)));
const steps = (count: number): string[] => ['p.yaml', '--json', '--set', `vars.steps=${count}`];
const endOf = (events: readonly AnyEvent[], stage: string): AnyEvent | undefined =>
  events.find((event) => event.type === 'stage-end' && event.stage === stage);

beforeAll(async () => {
  const result = await project.run(...steps(6));
  expect(result.code, result.stdout + result.stderr).toBe(0);
});

it('pretraining tells how long it waited for data, in its metrics and on its way', async () => {
  const events = eventsOf(await project.run(...steps(30)));
  const { data_wait_seconds: seconds = Number.NaN, data_wait_share: share = Number.NaN } = endOf(
    events,
    'pretrain',
  )!.metrics!;
  const logged = events.flatMap(({ type, stage, text = '', time }) => {
    const found = /^step \d+ loss [\d.]+, data wait ([\d.]+)%$/.exec(text);
    return type === 'log' && stage === 'pretrain' && found !== null ? [{ share: Number(found[1]) / 100, time }] : [];
  });
  expect(logged).toHaveLength(15);
  for (const each of logged) expect(each.share).toBeLessThan(1);
  // A share of the time so far: that of the last step is, but for what ends the training, that of all.
  expect(share).toBeCloseTo(logged.at(-1)!.share, 1);
  // What it is a share of is the time of training: longer than its steps from first to last, shorter than the stage's.
  const took = events.find(({ type, stage }) => type === 'action-end' && stage === 'pretrain')!.durationMs!;
  expect((1000 * seconds) / share).toBeLessThan(took);
  expect((1000 * seconds) / share).toBeGreaterThan(logged.at(-1)!.time - logged[0]!.time);
  expect(endOf(events, 'evaluate')!.metrics!['perplexity']).toBeGreaterThan(1);
});

it.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while it trains ends thread and worker; the next run ends with the digests of an undisturbed one',
  async (signal) => {
    const count = signal === 'SIGTERM' ? 301 : 302;
    const { child, ended, events } = project.start(steps(count));
    await vi.waitFor(() => expect(events().find(({ text }) => text?.startsWith('step 20 '))).toBeDefined(), {
      timeout: 60_000,
      interval: 5,
    });
    const worker = events().find(({ type, stage }) => type === 'action-start' && stage === 'pretrain')!.pid!;
    child.kill(signal);
    const result = await ended;
    expect(result.code).toBe(signal === 'SIGTERM' ? 143 : 130);
    await vi.waitFor(() => expect(() => process.kill(worker, 0)).toThrow('ESRCH'), 10_000);
    const resumed = eventsOf(await project.run(...steps(count)));
    expect(resumed.some(({ text }) => /^resumed after step \d+/.test(text ?? ''))).toBe(true);
    const elsewhere = eventsOf(await project.run(...steps(count), '--store', project.path(`store-${signal}`)));
    for (const stage of ['pretrain', 'evaluate'])
      expect(endOf(resumed, stage)!.outputs).toEqual(endOf(elsewhere, stage)!.outputs);
    expect(endOf(resumed, 'evaluate')!.metrics!['loss']).toBe(endOf(elsewhere, 'evaluate')!.metrics!['loss']);
  },
);

it('what is wrong with a sequence is said once, and nothing is left running', async () => {
  project.write(
    'copy.mjs',
    `import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
    const [from, to] = process.argv.slice(2);
    cpSync(from + '/_plan', to + '/_plan', { recursive: true, dereference: true });
    for (const name of readdirSync(from).filter((file) => file.endsWith('.arrow'))) {
      const bytes = readFileSync(from + '/' + name);
      // behind the metadata: the end of a sequence and the start of the next
      const ids = bytes.indexOf(Buffer.from(Uint32Array.of(2, 0).buffer), 4000);
      bytes.writeUInt32LE(300, ids);
      writeFileSync(to + '/' + name, bytes);
    }`,
  );
  project.write(
    'wrong.yaml',
    pipeline
      .replace(
        '  pretrain:',
        `  wrong: { run: 'node ${project.path('copy.mjs')} "$IN_MASKED" "$OUT_OUT"', inputs: { masked: ` +
          `masked }, outputs: { out: { contract: masked } } }\n  pretrain:`,
      )
      .replace('inputs: { masked: masked,', 'inputs: { masked: wrong,'),
  );
  const { ended, events } = project.start(['wrong.yaml', '--json']);
  const result = await ended;
  expectFailure(result, 1);
  const diagnostics = events().flatMap(({ type, diagnostic }) =>
    type === 'stage-end' && diagnostic !== undefined ? diagnostic : [],
  );
  expect(diagnostics).toMatchObject([
    {
      code: 'id-outside-vocabulary',
      message: expect.stringMatching(/^Sequence \d+ has token id 300, but the vocabulary has 300 entries\.$/),
    },
  ]);
  const pids = events().flatMap(({ pid }) => pid ?? []);
  expect(pids).not.toEqual([]);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
