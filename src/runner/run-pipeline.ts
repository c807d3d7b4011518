import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { Digest } from '../core/artifact.ts';
import type { BackendChoice } from '../core/backend.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { emptyOutput } from '../core/empty-output.ts';
import type { EventBody, RunEvent, RunSummary, StageState } from '../core/event.ts';
import type { CompositeNode, Pipeline, StageNode } from '../core/pipeline.ts';
import { mainOutput } from '../core/stage.ts';
import { shortfall } from '../executors/budget.ts';
import { interrupted, type Executor } from '../executors/executor.ts';
import type { ActionRecord, Artifact } from '../plan/action-cache.ts';
import { Frontier, type StageResult, type Turn } from '../plan/frontier.ts';
import { stepName } from '../core/step-name.ts';
import { shownStages } from '../plan/shown-stages.ts';
import { planStage, stageDrops, stageMetrics, stageOutputs, type StagePlan } from '../plan/planner.ts';
import { fileName } from '../store/layout.ts';
import type { Store } from '../store/store.ts';
import { openAttempts, sweepAttempts } from './attempts.ts';
import { compositeEnd } from './composites.ts';
import type { StageEnd } from './stage-end.ts';
import { openJournal } from './journal.ts';
import { linkOutputs, stepsFolder } from './output-link.ts';
import { runAction, systemDiagnostic, type ActionContext } from './run-action.ts';

export interface RunOptions {
  readonly store: Store;
  /** Ended with the run. */
  readonly executor: Executor;
  /** Folder of the contracts' JSON files. */
  readonly contracts: string;
  /** Folder for the `<pipeline>/<stage>` links to results. */
  readonly outputsDir: string;
  /** Environment from which shell steps take the variables they declare. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  /** Maximum number of actions of one stage in progress, including those waiting for resources. */
  readonly jobs?: number;
  /** After a failure, still run stages that do not depend on it. */
  readonly keepGoing?: boolean;
  /** Hash every cached artifact again before it is used. */
  readonly verify?: boolean;
  /** Delay before the first retry; it doubles with each further one. */
  readonly retryDelayMs?: number;
}

export interface RunResult extends RunSummary {
  readonly run: string;
  readonly stages: ReadonlyMap<string, StageEnd>;
}

/** Bring a pipeline up to date: plan each stage when its inputs are known, and run and publish what the store lacks. */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<RunResult> {
  const run = new PipelineRun(pipeline, options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class PipelineRun {
  private readonly id = `${new Date().toISOString().replace(/[-:.Z]/g, '')}-${randomBytes(3).toString('hex')}`;
  private readonly startedMs = performance.now();
  private readonly pipeline: Pipeline;
  private readonly options: RunOptions;
  private readonly store: Store;
  private readonly frontier: Frontier;
  private readonly journal;
  private readonly attempts;
  private readonly admission = new AbortController();
  private readonly context: ActionContext;
  private readonly ends = new Map<string, StageEnd>();
  private readonly running = new Set<Promise<void>>();
  private readonly composites: ReadonlyMap<string, CompositeNode>;
  /** When the first step of a composite stage started. */
  private readonly began = new Map<string, number>();
  /** Stages of rounds that are not needed. */
  private readonly unneeded = new Set<string>();
  private warnings = 0;
  private bug: { readonly error: unknown } | undefined;

  constructor(pipeline: Pipeline, options: RunOptions) {
    this.pipeline = pipeline;
    this.options = options;
    this.composites = new Map(pipeline.composites.map((composite) => [composite.id, composite]));
    // Every running or waiting action listens to both.
    setMaxListeners(0, options.signal, this.admission.signal);
    const { store } = options;
    this.store = options.verify === true ? { ...store, lookup: (key) => store.lookup(key, { verify: true }) } : store;
    this.journal = openJournal(store.layout.runs, this.id, (error) =>
      this.warn('journal-lost', `cannot write the journal: ${error.message}`),
    );
    this.attempts = openAttempts(store.layout, this.id);
    this.frontier = new Frontier(pipeline, ({ round, reason, skipped, problem }) => {
      if (problem !== undefined) this.emit({ type: 'warning', diagnostic: problem });
      this.emit({ type: 'loop-end', round, reason });
      for (const node of skipped) {
        this.unneeded.add(node.id);
        this.end(node, { state: 'skipped', ...nothing }, 0);
      }
    });
    this.context = {
      store: this.store,
      executor: options.executor,
      contracts: options.contracts,
      attempts: this.attempts,
      signal: options.signal,
      admission: this.admission.signal,
      retryDelayMs: options.retryDelayMs ?? 1_000,
      emit: (event) => this.emit(event),
      inFlight: new Map(),
    };
  }

  async run(): Promise<RunResult> {
    const { pipeline } = this;
    this.emit({
      type: 'run-start',
      run: this.id,
      pipeline: pipeline.name,
      file: pipeline.file,
      store: this.store.layout.root,
      stages: shownStages(pipeline).flatMap(({ node: { id, type }, steps = [] }) => [
        { id, uses: type.type },
        ...steps.map((step) => ({ id: step.id, uses: step.type.type, partOf: id })),
      ]),
      backends: backendsOf(pipeline),
    });
    this.journal.flush();
    sweepAttempts(this.store.layout.attempts);
    await this.store.sweepCheckpoints();
    const { signal } = this.options;
    signal.addEventListener('abort', () => this.emit({ type: 'run-ending', signal: String(signal.reason) }), {
      once: true,
    });

    for (;;) {
      for (
        let turn = this.stopping ? undefined : this.frontier.take();
        turn !== undefined;
        turn = this.stopping ? undefined : this.frontier.take()
      )
        this.begin(turn);
      if (this.running.size === 0) break;
      await Promise.race(this.running);
      if (this.bug !== undefined) throw this.bug.error;
    }
    for (const composite of pipeline.composites)
      if (composite.steps.length === 0) this.report(composite.id, { state: 'cached', ...nothing }, 0, {});
    for (const node of pipeline.stages)
      if (!this.ends.has(node.id)) this.end(node, { state: 'skipped', ...nothing }, 0);
    return this.finish();
  }

  async close(): Promise<void> {
    // After a bug: waiting actions and retries must not start workers that nothing would stop.
    this.admission.abort();
    await this.options.executor.close();
    await Promise.allSettled(this.running);
    this.attempts.close();
    this.journal.close();
    try {
      this.store.flush();
    } catch {
      // The cache of digests only saves time.
    }
  }

  private get stopping(): boolean {
    return this.admission.signal.aborted || this.options.signal.aborted;
  }

  private begin(turn: Turn): void {
    const { node } = turn;
    if ('blockedBy' in turn && turn.blockedBy.every((id) => this.unneeded.has(id))) {
      this.fail(
        node,
        {
          code: 'missing-input',
          stage: node.id,
          location: node.location,
          message: `${node.id}: the rounds ended before ${turn.blockedBy.join(' or ')} ran`,
          help: 'Make the `when` of that stage hold in every round that may be the last.',
        },
        performance.now(),
      );
      return;
    }
    if ('blockedBy' in turn) {
      this.end(
        node,
        {
          state: 'skipped',
          ...nothing,
          diagnostic: {
            code: 'upstream-failed',
            stage: node.id,
            message: `${node.id}: needs ${turn.blockedBy.join(', ')}`,
          },
        },
        0,
      );
      this.frontier.settle(node.id, undefined);
      return;
    }
    const began = performance.now();
    let plan: StagePlan;
    try {
      plan = planStage(node, turn.inputs, {
        cache: this.store,
        pipeline: this.pipeline.name,
        contracts: this.options.contracts,
        env: this.options.env,
      });
    } catch (error) {
      this.fail(node, systemDiagnostic(node, error), began);
      return;
    }
    this.emit({ type: 'stage-planned', stage: node.id, freshness: plan.freshness });
    if (plan.freshness.kind === 'hit')
      this.succeed(
        plan,
        plan.actions.flatMap(({ hit }) => hit ?? []),
        'cached',
        began,
      );
    else {
      const work = this.runStage(plan, began).catch((error: unknown) => {
        this.bug ??= { error };
      });
      this.running.add(work);
      void work.then(() => this.running.delete(work));
    }
  }

  private async runStage(plan: StagePlan, began: number): Promise<void> {
    const { node, actions } = plan;
    let damaged: readonly string[];
    try {
      damaged = await this.damagedProducers(plan);
    } catch (error) {
      this.fail(node, systemDiagnostic(node, error), began);
      return;
    }
    if (damaged.length > 0) {
      this.frontier.retake(node, damaged);
      return;
    }
    this.emit({
      type: 'stage-start',
      stage: node.id,
      actions: actions.length,
      cached: actions.filter(({ hit }) => hit !== undefined).length,
    });
    const lacking = shortfall(node.resources, this.options.executor.capacity);
    if (lacking !== undefined)
      this.emit({
        type: 'warning',
        diagnostic: {
          code: 'resources-cut',
          severity: 'warning',
          stage: node.id,
          location: node.location,
          message: `${node.id} requests more than this machine has (${lacking}); using what is available`,
        },
      });
    const records: (ActionRecord | undefined)[] = actions.map(({ hit }) => hit);
    const missing = [...actions.entries()].filter(([, { hit }]) => hit === undefined);
    let problem: Diagnostic | undefined;
    let ran = false;
    const lane = async (): Promise<void> => {
      for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
        if (this.stopping) return;
        const [index, action] = next;
        const result = await runAction(node, action, this.context);
        if (result.ok) {
          records[index] = result.value.record;
          ran ||= result.value.ran;
        } else {
          if (problem === undefined || problem.code === interrupted) problem = result.error;
          if (result.error.code !== interrupted) this.stopUnlessKeepGoing();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(missing.length, 2 * (this.options.jobs ?? 4)) }, lane));

    const complete = records.flatMap((record) => record ?? []);
    if (problem !== undefined && problem.code !== interrupted) this.fail(node, problem, began);
    else if (complete.length < records.length) {
      this.end(node, { state: 'interrupted', ...nothing }, began);
      this.frontier.settle(node.id, undefined);
    } else this.succeed(plan, complete, ran ? 'ran' : 'cached', began);
  }

  /** Stages that must run again because their results in the store are damaged. */
  private async damagedProducers({ node, actions }: StagePlan): Promise<string[]> {
    const needed = new Set<Digest>();
    for (const { hit, inputs } of actions)
      if (hit === undefined)
        for (const { manifest } of Object.values(inputs).flat())
          for (const { digest } of manifest.files) needed.add(digest);
    const damaged = new Set(await this.store.findDamaged(needed));
    if (damaged.size === 0) return [];
    const producers = this.frontier
      .producers(node)
      .filter((id) =>
        Object.values(this.ends.get(id)?.outputs ?? {}).some(({ manifest }) =>
          manifest.files.some(({ digest }) => damaged.has(digest)),
        ),
      );
    this.warn(
      'store-damaged-object',
      `${damaged.size} damaged ${damaged.size === 1 ? 'file' : 'files'} in the store moved to quarantine; ` +
        `${producers.join(', ')} will run again`,
    );
    return producers;
  }

  private succeed(
    { node, ingredients, actions }: StagePlan,
    records: readonly ActionRecord[],
    state: 'cached' | 'ran',
    began: number,
  ): void {
    const outputs = stageOutputs(node, records);
    const empty = Object.entries(node.type.outputs).find(([port, { optional }]) => {
      const manifest = outputs[port]?.manifest;
      return (
        node.type.map !== undefined &&
        optional !== true &&
        manifest?.kind === 'dataset' &&
        manifest.files.every(({ rows = 0 }) => rows === 0)
      );
    });
    if (empty !== undefined) {
      const [port, { contract }] = empty;
      this.fail(node, emptyOutput(node.id, port, contract, stageMetrics(records), stageDrops(records)), began);
      return;
    }
    try {
      this.store.saveLast(this.pipeline.name, node.id, {
        ingredients,
        actions: actions.map(({ key }) => key),
        outputs: mapValues(outputs, ({ digest }) => digest),
      });
    } catch (error) {
      this.warn('store-unusable', `cannot record the ingredients of ${node.id}: ${(error as Error).message}`);
    }
    const reused = new Set(actions.flatMap(({ hit }) => hit ?? []));
    const savedMs = records.reduce(
      (sum, record) => sum + (state === 'cached' || reused.has(record) ? record.durationMs : 0),
      0,
    );
    const result: StageResult = { outputs, metrics: stageMetrics(records) };
    this.end(node, { state, ...result, savedMs }, began, this.link(node, outputs));
    this.frontier.settle(node.id, result);
  }

  private fail(node: StageNode, diagnostic: Diagnostic, began: number): void {
    this.end(node, { state: 'failed', ...nothing, diagnostic: { location: node.location, ...diagnostic } }, began);
    this.stopUnlessKeepGoing();
    this.frontier.settle(node.id, undefined);
  }

  private stopUnlessKeepGoing(): void {
    if (this.options.keepGoing !== true) this.admission.abort();
  }

  private link(node: StageNode | CompositeNode, outputs: Readonly<Record<string, Artifact>>): Record<string, string> {
    try {
      const composite = 'partOf' in node ? node.partOf : undefined;
      const folder = join(
        this.options.outputsDir,
        fileName(this.pipeline.name),
        ...(composite === undefined ? [] : [stepsFolder(composite)]),
      );
      return linkOutputs(
        folder,
        composite === undefined ? node.id : stepName(composite, node.id),
        mainOutput(node.type.outputs),
        mapValues(outputs, (artifact) => this.store.view(artifact)),
      );
    } catch (error) {
      this.warn('link-failed', `cannot link the result of ${node.id}: ${(error as Error).message}`);
      return {};
    }
  }

  /** Ends a stage, and its composite stage if this was the last step. */
  private end(node: StageNode, end: StageEnd, began: number, links: Readonly<Record<string, string>> = {}): void {
    this.report(node.id, end, began, links);
    const composite = node.partOf === undefined ? undefined : this.composites.get(node.partOf);
    if (composite === undefined) return;
    const first = Math.min(began || Infinity, this.began.get(composite.id) ?? Infinity);
    if (Number.isFinite(first)) this.began.set(composite.id, first);
    const whole = compositeEnd(composite, this.ends);
    if (whole === undefined) return;
    this.report(composite.id, whole, Number.isFinite(first) ? first : 0, this.link(composite, whole.outputs));
  }

  private report(stage: string, end: StageEnd, began: number, links: Readonly<Record<string, string>>): void {
    this.ends.set(stage, end);
    const outputs = Object.fromEntries(
      Object.entries(end.outputs).map(([port, { digest, manifest }]) => {
        const link = links[port];
        const rows =
          manifest.kind === 'dataset' ? { rows: manifest.files.reduce((sum, file) => sum + (file.rows ?? 0), 0) } : {};
        return [
          port,
          {
            digest,
            ...rows,
            bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
            ...(link === undefined ? {} : { link }),
          },
        ];
      }),
    );
    this.emit({
      type: 'stage-end',
      stage,
      state: end.state,
      durationMs: began === 0 ? 0 : Math.round(performance.now() - began),
      savedMs: end.savedMs,
      outputs,
      metrics: end.metrics,
      ...(end.diagnostic === undefined ? {} : { diagnostic: end.diagnostic }),
    });
  }

  private finish(): RunResult {
    // A composite stage counts as one.
    const steps = new Set(this.pipeline.composites.flatMap((composite) => composite.steps));
    const ends = [...this.ends].flatMap(([id, end]) => (steps.has(id) ? [] : [end]));
    const count = (...states: StageState[]): number => ends.filter(({ state }) => states.includes(state)).length;
    const failed = count('failed');
    const result: RunSummary = {
      state: this.options.signal.aborted ? 'interrupted' : failed > 0 ? 'failed' : 'ok',
      cached: count('cached'),
      ran: count('ran'),
      failed,
      skipped: count('skipped', 'interrupted'),
      warnings: this.warnings,
      durationMs: Math.round(performance.now() - this.startedMs),
      savedMs: ends.reduce((sum, { savedMs }) => sum + savedMs, 0),
    };
    this.emit({ type: 'run-end', ...result });
    return { run: this.id, ...result, stages: this.ends };
  }

  private warn(code: string, message: string): void {
    this.emit({ type: 'warning', diagnostic: { code, severity: 'warning', message } });
  }

  private emit(body: EventBody): void {
    if (body.type === 'warning') this.warnings++;
    const event: RunEvent = { v: 1, time: Date.now(), ...body };
    this.journal.append(event);
    this.options.emit(event);
  }
}

/** The different backends that its stages compute on. */
function backendsOf({ stages }: Pipeline): BackendChoice[] {
  const different = new Map(
    stages.flatMap(({ backend }) =>
      backend === undefined ? [] : [[`${backend.name} ${backend.device}`, backend] as const],
    ),
  );
  return [...different.values()];
}

const nothing = { outputs: {}, metrics: {}, savedMs: 0 } as const;

function mapValues<T, U>(record: Readonly<Record<string, T>>, transform: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, transform(value)]));
}
