import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { digestsOf, Project, samples } from '../rig/project.ts';
import { KeyedRandom } from '../../src/text/random.ts';

const kills = Number(process.env['KILLS'] ?? 50);
const seed = Number(process.env['KILLS_SEED'] ?? Date.now() % 1_000_000);

/** Every kind of stage: one action a file, one a shard, a whole dataset, a model with checkpoints, a shell step. */
const pipeline = `name: killed
seed: 7
stages:
  books:     { uses: ingest-books, with: { path: books } }
  cleaned:   { uses: clean, inputs: { documents: books }, resources: { cpus: 2 } } # one at a time: the language model is large
  tokenizer: { uses: train-tokenizer, inputs: { documents: cleaned }, with: { vocab_size: 300 } }
  tokens:    { uses: tokenize, inputs: { documents: cleaned, tokenizer: tokenizer }, with: { max_length: 32, held_out: 0.3 } }
  masked:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer } }
  pretrain:
    uses: pretrain
    inputs: { masked: masked, tokenizer: tokenizer }
    with: { hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, max_length: 32, batch_size: 8, max_steps: 16, save_steps: 2 }
  evaluate:  { uses: evaluate, inputs: { model: pretrain, sequences: tokens.held_out } }
  listing:
    run: for i in 1 2 3 4; do ls "$IN_TEXT" >> "$OUT_FILES/list.txt"; sleep 0.05; done
    inputs: { text: cleaned.documents }
    outputs: { files: { contract: files } }
`;

it(`${kills} kills of runner, worker or both: the runs after them end with an undisturbed run's digests`, async () => {
  console.log(`seed ${seed}; repeat with KILLS_SEED=${seed}`);
  const random = new KeyedRandom(seed);
  const project = new Project({ 'p.yaml': pipeline });
  for (const [index, half] of halves().entries()) project.write(`books/${index}.txt`, half);
  const undisturbed = await project.digests('p.yaml');
  expect(Object.keys(undisturbed)).toHaveLength(12); // with the steps of composite stages
  /** How long an undisturbed run takes from an empty store, and from one with cleaned documents. */
  const lengthMs: Record<string, number> = {};
  for (const start of [empty, onlyCleaned]) {
    start(project);
    const began = performance.now();
    expect(await project.digests('p.yaml')).toEqual(undisturbed);
    lengthMs[start.name] = performance.now() - began;
  }

  const during: Record<string, number> = {};
  let done = 0;
  let completed = 0;
  for (let start = empty; done < kills; start = random.below(4) === 0 ? empty : onlyCleaned) {
    start(project);
    // Later kills of one job come later, so that it ends at some time on the slowest machine.
    for (let over = false, reach = 0.3; !over; reach += 0.05) {
      const { child, ended, events } = project.start(['p.yaml', '--json']);
      const survived = await Promise.race([ended, sleep(random.next() * lengthMs[start.name]! * reach)]);
      if (survived === undefined) {
        const started = events().filter((event) => event.type === 'action-start');
        const stage = started.at(-1)?.stage ?? 'the start';
        during[stage] = (during[stage] ?? 0) + 1;
        const worker = started.map((event) => event.pid ?? 0).findLast(alive);
        const target = worker === undefined ? 'runner' : (['runner', 'worker', 'both'] as const)[random.below(3)];
        if (target !== 'runner' && worker !== undefined) process.kill(worker, 'SIGKILL');
        if (target !== 'worker') child.kill('SIGKILL');
        done++;
      }
      const result = await ended;
      if (survived !== undefined) expect(result.code, result.stdout + result.stderr).toBe(0);
      for (const [stage, digests] of Object.entries(digestsOf(result)))
        expect([stage, digests]).toEqual([stage, undisturbed[stage]]);
      await vi.waitFor(() => expect(processesIn(project.folder)).toEqual([]), { timeout: 10_000, interval: 20 });
      over = result.code === 0;
      if (over) expect(digestsOf(result)).toEqual(undisturbed);
    }
    completed++;
    expectNoLeftovers(project);
  }
  const { code, stdout, stderr } = await project.run('cache', 'verify');
  expect(code, stdout + stderr).toBe(0);
  console.log(
    `${done} kills, ${completed} runs completed between them; killed last after the start of ${JSON.stringify(during)}`,
  );
}, 1_200_000);

function expectNoLeftovers(project: Project): void {
  expect(readdirSync(project.path('.run-pipeline/attempts'))).toEqual([]);
  const checkpoints = project.path('.run-pipeline/checkpoints');
  expect(existsSync(checkpoints) ? readdirSync(checkpoints) : []).toEqual([]);
}

/** The sample books, cut in two each, so that there are some shards. */
function halves(): string[] {
  return readdirSync(join(samples, 'books'))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(join(samples, 'books', name), 'utf8');
      const middle = text.indexOf('\n\n', text.length / 2);
      return [text.slice(0, middle), text.slice(middle)];
    });
}

function empty(project: Project): void {
  rmSync(project.path('.run-pipeline'), { recursive: true, force: true });
  rmSync(project.path('outputs'), { recursive: true, force: true });
}

/** Forget all but what the first two stages made, whose language model takes most of a run's time to load. */
function onlyCleaned(project: Project): void {
  const actions = project.path('.run-pipeline/actions');
  for (const name of readdirSync(actions, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.json') && !/"stage":"(books|cleaned)"/.test(readFileSync(join(actions, name), 'utf8')))
      rmSync(join(actions, name));
}

/** Processes that work in a folder or below it: a worker starts in its runner's, a shell step in its attempt's. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
