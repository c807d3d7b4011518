import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { absentBackends, availableBackends, backendsRoot } from '../rig/backends.ts';
import { eventsOf, Project, samples, statesOf, type AnyEvent, type CliResult } from '../rig/project.ts';

/** Dropout, accumulation and masks drawn as sequences are served: all that a resumed run has to draw again. */
const pipeline = `name: trained
seed: 11
stages:
  books:     { uses: ingest-books, with: { path: ${samples}/books } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: books }, with: { vocab_size: 300 } }
  tokens:    { uses: tokenize, inputs: { documents: books, tokenizer: tokenizer }, with: { max_length: 32 } }
  masked:    { uses: mask, inputs: { sequences: tokens, tokenizer: tokenizer } }
  pretrain:
    uses: pretrain
    inputs: { masked: masked, tokenizer: tokenizer }
    with: { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_length: 32, batch_size: 8, gradient_accumulation_steps: 2, max_steps: 60, save_steps: 5, logging_steps: 1, learning_rate: 0.002 }
`;

/** Without CUDA: atomic sums there may come out in another order. */
const at = { RUN_PIPELINE_BACKENDS: backendsRoot, CUDA_VISIBLE_DEVICES: '' };
const run = (project: Project, backend: string): Promise<CliResult> =>
  project.start(['p.yaml', '--json', '--set', `backend=${backend}`], at).ended;
const weights = (project: Project): Buffer => readFileSync(project.path('outputs/trained/pretrain/model.safetensors'));
const stepOf = (events: readonly AnyEvent[]): number =>
  Number(
    /^step (\d+)/.exec(
      events.findLast(({ type, text }) => type === 'log' && text?.startsWith('step '))?.text ?? '',
    )?.[1] ?? 0,
  );

/** Kill runner, worker or both with SIGKILL once training has gone past a step. */
async function killedAfter(
  project: Project,
  backend: string,
  step: number,
  target: 'runner' | 'worker' | 'both',
): Promise<CliResult> {
  const { child, ended, events } = project.start(['p.yaml', '--json', '--set', `backend=${backend}`], at);
  while (stepOf(events()) <= step) {
    if (child.exitCode !== null) throw new Error(`it ended before step ${step}`);
    await sleep(2);
  }
  const worker =
    events().findLast(({ type, stage }) => type === 'action-start' && stage === 'pretrain')?.pid ?? Number.NaN;
  if (target !== 'runner') process.kill(worker, 'SIGKILL');
  if (target !== 'worker') child.kill('SIGKILL');
  return ended;
}

absentBackends('killed in mid-training');

describe.each(availableBackends.filter(({ name }) => name !== 'cpu'))('killed in mid-training on $name', ({ name }) => {
  it('three times, it goes on from its checkpoints to the very weights of an undisturbed run', async () => {
    const project = new Project({ 'p.yaml': pipeline });
    const whole = await run(project, name);
    expect(whole.code, whole.stdout.slice(-3000) + whole.stderr).toBe(0);
    const [undisturbed, metrics] = [weights(project), metricsOf(whole)];
    rmSync(project.path('.run-pipeline'), { recursive: true });
    rmSync(project.path('outputs'), { recursive: true });

    const resumedAfter: number[] = [];
    const note = (result: CliResult): void => {
      for (const { text = '' } of eventsOf(result))
        if (text.startsWith('resumed after step ')) resumedAfter.push(Number(text.split(' ').at(-1)));
    };
    for (const [step, target] of [
      [12, 'both'],
      [24, 'runner'],
      [41, 'worker'],
    ] as const) {
      const killed = await killedAfter(project, name, step, target);
      note(killed);
      expect(killed.code).not.toBe(0);
      expect(readdirSync(project.path('outputs/trained'))).not.toContain('pretrain');
    }
    const last = await run(project, name);
    note(last);
    expect(statesOf(last).pretrain).toBe('ran');
    expect(resumedAfter).toHaveLength(3);
    for (const [i, step] of [12, 24, 41].entries()) {
      expect(resumedAfter[i]! % 5).toBe(0);
      expect(resumedAfter[i]).toBeGreaterThanOrEqual(step - (step % 5));
    }
    expect(weights(project).equals(undisturbed)).toBe(true);
    expect(metricsOf(last)).toEqual(metrics);
  });
});

/** Metrics of training, but for how long it waited. */
function metricsOf(result: CliResult): Record<string, number> {
  const metrics =
    eventsOf(result).find(({ type, stage }) => type === 'stage-end' && stage === 'pretrain')?.metrics ?? {};
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !name.startsWith('data_wait')));
}
