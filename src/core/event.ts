import type { ActionKey, Digest } from './artifact.ts';
import type { BackendChoice } from './backend.ts';
import type { Diagnostic } from './diagnostic.ts';

/** Why a stage runs or does not. */
export type Freshness =
  | { readonly kind: 'hit'; readonly savedMs: number }
  | { readonly kind: 'miss'; readonly changed: readonly Change[] }
  /** Unknown until the stages it names have run. */
  | { readonly kind: 'pending'; readonly on: readonly string[] };

/** An ingredient of an action key that differs from last time. */
export interface Change {
  readonly ingredient: string;
  readonly before?: string;
  readonly after?: string;
}

/** A stage as a run lists it. */
export interface StageSummary {
  readonly id: string;
  readonly uses: string;
  /** For a step, its composite stage. */
  readonly partOf?: string;
}

/** How a run ended, and its number of stages per state. */
export interface RunSummary {
  readonly state: 'ok' | 'failed' | 'interrupted';
  readonly cached: number;
  readonly ran: number;
  readonly failed: number;
  readonly skipped: number;
  readonly warnings: number;
  readonly durationMs: number;
  readonly savedMs: number;
}

/** One line of a run's journal, `runs/<id>/events.ndjson`. Reporters read nothing else. */
export type RunEvent = { readonly v: 1; readonly time: number } & EventBody;

export type EventBody =
  | {
      readonly type: 'run-start';
      readonly run: string;
      readonly pipeline: string;
      readonly file: string;
      readonly store: string;
      /** The stages of the YAML in running order, each composite one followed by its steps. */
      readonly stages: readonly StageSummary[];
      readonly backends?: readonly BackendChoice[];
    }
  | { readonly type: 'stage-planned'; readonly stage: string; readonly freshness: Freshness }
  | { readonly type: 'stage-start'; readonly stage: string; readonly actions: number; readonly cached: number }
  | {
      readonly type: 'action-start';
      readonly stage: string;
      readonly action: string;
      readonly key: ActionKey;
      readonly attempt: number;
      readonly pid: number;
      readonly gpus: readonly string[];
    }
  | {
      readonly type: 'progress';
      readonly stage: string;
      readonly action: string;
      readonly done: number;
      readonly total?: number;
      readonly unit: string;
      readonly note?: string;
    }
  | {
      readonly type: 'log';
      readonly stage: string;
      readonly action: string;
      readonly stream: 'stdout' | 'stderr' | 'log';
      readonly text: string;
    }
  | {
      readonly type: 'metric';
      readonly stage: string;
      readonly name: string;
      readonly value: number;
      readonly step?: number;
    }
  | {
      readonly type: 'action-end';
      readonly stage: string;
      readonly action: string;
      readonly ok: boolean;
      readonly durationMs: number;
      readonly diagnostic?: Diagnostic;
      readonly willRetryInMs?: number;
    }
  | {
      readonly type: 'stage-end';
      readonly stage: string;
      readonly state: StageState;
      readonly durationMs: number;
      readonly savedMs: number;
      readonly outputs: Readonly<
        Record<
          string,
          { readonly digest: Digest; readonly rows?: number; readonly bytes: number; readonly link?: string }
        >
      >;
      readonly metrics: Readonly<Record<string, number>>;
      readonly diagnostic?: Diagnostic;
    }
  | { readonly type: 'warning'; readonly diagnostic: Diagnostic }
  /** The run was asked to stop; running actions are given a moment. */
  | { readonly type: 'run-ending'; readonly signal: string }
  | { readonly type: 'loop-end'; readonly round: number; readonly reason: 'until' | 'max' }
  | ({ readonly type: 'run-end' } & RunSummary);

export type StageState = 'cached' | 'ran' | 'failed' | 'skipped' | 'interrupted';
