import type { Diagnostic } from '../core/diagnostic.ts';
import type { Pipeline, Reference, StageNode, StageOutput } from '../core/pipeline.ts';
import { evaluate, isTrue, parseExpression } from '../pipeline/expression.ts';
import type { Artifact, StageInputs } from './action-cache.ts';

/** The result of a finished stage. */
export interface StageResult {
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface LoopEnd {
  readonly round: number;
  readonly reason: 'until' | 'max';
  /** Stages of the rounds that are not needed. */
  readonly skipped: readonly StageNode[];
  readonly problem?: Diagnostic;
}

/** A stage whose turn has come: with its inputs, or with the stages that block it. */
export type Turn = { readonly node: StageNode } & (
  { readonly inputs: StageInputs } | { readonly blockedBy: readonly string[] }
);

/** A stage's id, `round <n>` or `loop`. */
type Token = string;

/**
 * Walks a pipeline in dependency order, including rounds. Planning and running both use it, so they cannot disagree
 * about dependencies: planning settles stages with what the store holds, running with what ran.
 */
export class Frontier {
  private readonly pipeline: Pipeline;
  private readonly onLoopEnd: (end: LoopEnd) => void;
  private readonly nodes = new Map<string, StageNode>();
  private readonly dependents = new Map<Token, string[]>();
  private readonly dependencies = new Map<string, ReadonlySet<Token>>();
  private readonly waitingFor = new Map<string, number>();
  private readonly settled = new Map<Token, StageResult | 'blocked' | 'open'>();
  private readonly ready: StageNode[] = [];
  private readonly roundOf = new Map<string, number>();
  private readonly unsettledInRound: number[] = [];
  private readonly skipped = new Set<string>();
  /** Stages that run again, and the stages waiting for them. */
  private readonly reopened = new Map<string, string[]>();
  private next = 0;
  private lastRound: number | undefined;

  constructor(pipeline: Pipeline, onLoopEnd: (end: LoopEnd) => void = () => {}) {
    this.pipeline = pipeline;
    this.onLoopEnd = onLoopEnd;
    pipeline.loop?.rounds.forEach((ids, round) => {
      this.unsettledInRound.push(ids.length);
      for (const id of ids) this.roundOf.set(id, round);
    });
    for (const node of pipeline.stages) {
      this.nodes.set(node.id, node);
      const dependencies = this.dependenciesOf(node);
      this.dependencies.set(node.id, dependencies);
      this.waitingFor.set(node.id, dependencies.size);
      for (const token of dependencies) {
        const list = this.dependents.get(token);
        if (list === undefined) this.dependents.set(token, [node.id]);
        else list.push(node.id);
      }
      if (dependencies.size === 0) this.ready.push(node);
    }
  }

  /** The next stage whose dependencies are all settled, if any. */
  take(): Turn | undefined {
    this.closeIfEmpty(0);
    for (;;) {
      const node = this.ready[this.next];
      if (node === undefined) return undefined;
      this.next += 1;
      if (this.waitsForReopened(node)) continue;
      const blocked = [...(this.dependencies.get(node.id) ?? []), ...this.lastRoundsOf(node)].filter(
        (token) => this.settled.get(token) === 'blocked',
      );
      // The inputs a stage reads are more informative than its round.
      const direct = blocked.filter((token) => this.nodes.has(token));
      const blockedBy = (direct.length > 0 ? direct : blocked).flatMap((token) => this.stagesBehind(token));
      if (blockedBy.length > 0) return { node, blockedBy: [...new Set(blockedBy)] };
      // `when` may have skipped a stage in every round that ran.
      const never = Object.values(node.inputs)
        .flat()
        .find((reference) => this.outputOf(reference) === undefined);
      if (never?.kind === 'last-round') return { node, blockedBy: never.rounds.map(({ stage }) => stage) };
      return {
        node,
        inputs: Object.fromEntries(
          Object.entries(node.inputs).map(([port, list]) => [port, list.map((reference) => this.artifact(reference))]),
        ),
      };
    }
  }

  /** Record the result of a stage; `undefined` if it has none, which blocks its dependents. */
  settle(id: string, result: StageResult | undefined): void {
    this.open(id, result ?? 'blocked');
    const round = this.roundOf.get(id);
    if (round === undefined) return;
    this.unsettledInRound[round] = (this.unsettledInRound[round] ?? 0) - 1;
    if (this.unsettledInRound[round] === 0) this.closeRound(round);
  }

  /** Schedule a stage again, after the stages it reads whose output turned out to be damaged. */
  retake(node: StageNode, damaged: readonly string[]): void {
    for (const id of damaged) {
      const producer = this.nodes.get(id);
      if (producer === undefined || !this.settled.has(id)) continue;
      this.settled.delete(id);
      this.reopened.set(id, []);
      const round = this.roundOf.get(id);
      if (round !== undefined) this.unsettledInRound[round] = (this.unsettledInRound[round] ?? 0) + 1;
      this.ready.push(producer);
    }
    this.ready.push(node);
  }

  /** The stages whose outputs a stage reads. */
  producers(node: StageNode): string[] {
    return [
      ...new Set(
        Object.values(node.inputs)
          .flat()
          .flatMap((reference) => this.outputOf(reference)?.stage ?? []),
      ),
    ];
  }

  private waitsForReopened(node: StageNode): boolean {
    if (this.reopened.size === 0) return false;
    const open = this.producers(node).filter((id) => this.reopened.has(id));
    for (const id of open) this.reopened.get(id)?.push(node.id);
    this.waitingFor.set(node.id, open.length);
    return open.length > 0;
  }

  private open(token: Token, state: StageResult | 'blocked' | 'open'): void {
    this.settled.set(token, state);
    const again = this.reopened.get(token);
    this.reopened.delete(token);
    for (const id of again ?? this.dependents.get(token) ?? []) {
      const left = (this.waitingFor.get(id) ?? 0) - 1;
      this.waitingFor.set(id, left);
      const node = this.nodes.get(id);
      if (left === 0 && node !== undefined && !this.skipped.has(id)) this.ready.push(node);
    }
  }

  private closeRound(round: number): void {
    const { loop } = this.pipeline;
    if (loop === undefined || this.settled.has('loop') || this.settled.has(roundToken(round))) return;
    const ids = loop.rounds[round] ?? [];
    // A round that waits for one that failed, and has no stage to say so, is blocked too.
    const blocked =
      ids.some((id) => this.settled.get(id) === 'blocked') ||
      (loop.until !== undefined && this.settled.get(roundToken(round - 1)) === 'blocked');
    const isLast = this.unsettledInRound.every((count) => count === 0);
    const { holds, problem } =
      blocked || ids.length === 0 ? { holds: false, problem: undefined } : this.untilHolds(ids);
    if (holds || isLast) {
      const last = holds ? round : loop.rounds.length - 1;
      this.lastRound = last;
      const skipped = loop.rounds.slice(last + 1).flat();
      for (const id of skipped) this.skipped.add(id);
      if (
        !loop.rounds
          .slice(0, last + 1)
          .flat()
          .some((id) => this.settled.get(id) === 'blocked')
      )
        this.onLoopEnd({
          round: last + 1,
          reason: holds ? 'until' : 'max',
          skipped: skipped.flatMap((id) => this.nodes.get(id) ?? []),
          ...(problem === undefined ? {} : { problem }),
        });
      // What reads a stage of the last round looks how that one ended: others of the rounds may have failed.
      this.open('loop', 'open');
    }
    this.open(roundToken(round), blocked ? 'blocked' : 'open');
    this.closeIfEmpty(round + 1);
  }

  /** A round in which `when` skips every stage ends when the previous one does. */
  private closeIfEmpty(round: number): void {
    if (this.pipeline.loop?.rounds[round]?.length === 0) this.closeRound(round);
  }

  private untilHolds(ids: readonly string[]): { readonly holds: boolean; readonly problem?: Diagnostic | undefined } {
    const loop = this.pipeline.loop;
    if (loop?.until === undefined) return { holds: false };
    const metrics = new Map<string, number>();
    for (const id of ids) {
      const result = this.settled.get(id);
      if (typeof result === 'object')
        for (const [name, value] of Object.entries(result.metrics))
          metrics.set(`${this.nodes.get(id)?.name ?? id}.${name}`, value);
    }
    const expression = parseExpression(loop.until);
    const value = expression.ok ? evaluate(expression.value, (path) => metrics.get(path.join('.'))) : expression;
    if (value.ok) return { holds: isTrue(value.value) };
    return {
      holds: false,
      problem: {
        code: 'until-unknown',
        severity: 'warning',
        location: loop.location,
        message: `until: ${loop.until}: ${value.error.message}; the loop continues`,
        help:
          metrics.size === 0
            ? 'No stage of the round set a metric.'
            : `Metrics of this round: ${[...metrics.keys()].join(', ')}.`,
      },
    };
  }

  private dependenciesOf(node: StageNode): Set<Token> {
    const tokens = new Set<Token>();
    for (const reference of Object.values(node.inputs).flat())
      tokens.add(reference.kind === 'stage' ? reference.stage : 'loop');
    const round = this.roundOf.get(node.id);
    if (round !== undefined && round > 0 && this.pipeline.loop?.until !== undefined) tokens.add(roundToken(round - 1));
    return tokens;
  }

  private stagesBehind(token: Token): string[] {
    if (this.nodes.has(token)) return [token];
    const upTo = Number(token.slice('round '.length));
    const blocked = (this.pipeline.loop?.rounds ?? [])
      .slice(0, upTo)
      .map((ids) => ids.filter((id) => this.settled.get(id) === 'blocked'));
    return blocked.findLast((ids) => ids.length > 0) ?? [];
  }

  /** The output that a reference means: that of the last round to produce it, which need not be the last round. */
  private outputOf(reference: Reference): StageOutput | undefined {
    if (reference.kind === 'stage') return reference;
    return reference.rounds.findLast(({ stage }) => (this.roundOf.get(stage) ?? 0) <= (this.lastRound ?? 0));
  }

  /** The stages that a stage means by the last round; those of earlier rounds count only where it has none. */
  private lastRoundsOf(node: StageNode): string[] {
    return Object.values(node.inputs)
      .flat()
      .flatMap((reference) => (reference.kind === 'last-round' ? (this.outputOf(reference)?.stage ?? []) : []));
  }

  private artifact(reference: Reference): Artifact {
    const output = this.outputOf(reference);
    const result = output === undefined ? undefined : this.settled.get(output.stage);
    const artifact = output !== undefined && typeof result === 'object' ? result.outputs[output.port] : undefined;
    if (artifact === undefined) throw new Error(`output ${output?.port} of ${output?.stage} does not exist`);
    return artifact;
  }
}

const roundToken = (round: number): Token => `round ${round + 1}`;
