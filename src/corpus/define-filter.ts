import { defineStage, type Port, type StageContext, type StageType } from '../core/stage.ts';
import type { Document } from './document.ts';
import { DocumentOutput, type Verdict } from './document-output.ts';
import { documentsOf } from './documents-of.ts';

/** What `judge` receives in addition to the document and the config. */
export interface FilterContext<Tools = undefined> {
  /** The result of `setUp`. */
  readonly tools: Tools;
  /** The index of the document within this action, from 0. */
  readonly number: number;
  /** Count something specific to the filter, as `<name>.<label>` of the run and in the output `metrics`. */
  count(name: string, label: string, by?: number): void;
}

/** A stage that decides on one document at a time. */
export interface Filter<Config, Tools> {
  readonly description: string;
  /** Inputs in addition to `documents`, or `documents` with its own description. */
  readonly inputs?: Readonly<Record<string, Port>>;
  /** How the work is divided into actions; default: `documents`, one action per shard. */
  readonly map?: NonNullable<StageType<Config>['map']>;
  /** Descriptions of its outputs; default: generic ones. */
  readonly outputs?: { readonly documents?: string; readonly rejects?: string; readonly metrics?: string };
  /** JSON Schema of `with:`. Omitted by this project's filters, which have `schemas/stages/<type>.schema.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Whether it has an output `rejects` for dropped documents with the reason, or the name of the boolean config
   * property that decides whether they are written there.
   */
  readonly rejects?: boolean | (keyof Config & string);
  /** Reasons for dropping that are reported even if no document was dropped for them. */
  readonly reasons?: readonly string[];
  check?: StageType<Config>['check'];
  /** Runs once per action, before any document: load a model, read another input. */
  setUp?(context: StageContext<Config>): Tools | Promise<Tools>;
  /**
   * Whether all documents of this action are kept unchanged: then their shards are linked, and `judge` is not called.
   */
  keepsAll?(tools: Tools): boolean;
  /**
   * The document, changed or not; the documents it is split into; or the reason for dropping it. Changes that `judge`
   * makes to a document that it drops appear in `rejects`.
   */
  judge(document: Document, config: Config, context: FilterContext<Tools>): Verdict | Promise<Verdict>;
}

/**
 * Declare a stage that filters, changes or splits documents one by one. It runs per shard and writes `documents`,
 * `metrics` and optionally `rejects`. Documents, bytes and reasons for dropping (`dropped.<reason>`) are counted.
 * @example
 * export default defineFilter<{ min_characters: number }>({
 *   description: 'Keep documents of a minimum length.',
 *   config: { type: 'object', properties: { min_characters: { type: 'integer', default: 100 } } },
 *   judge: (document, { min_characters }) => (document.text.length < min_characters ? 'short' : document),
 * });
 */
export function defineFilter<Config = Record<string, unknown>, Tools = undefined>(
  filter: Filter<Config, Tools>,
): StageType<Config> {
  const { description, inputs, map = 'documents', outputs = {}, config, rejects = false, check } = filter;
  return defineStage<Config>({
    description,
    inputs: { documents: { contract: 'documents', description: 'documents to filter' }, ...inputs },
    outputs: {
      documents: { contract: 'documents', description: outputs.documents ?? 'documents that were kept' },
      ...(rejects === false
        ? {}
        : {
            rejects: {
              contract: 'rejects',
              description: outputs.rejects ?? 'dropped documents with the reason',
              optional: true,
              ...(rejects === true ? {} : { when: `config.${rejects}` }),
            },
          }),
      metrics: {
        contract: 'metrics',
        description: outputs.metrics ?? 'documents, bytes, reasons for dropping, lengths, languages, domains',
        optional: true,
      },
    },
    map,
    ...(config === undefined ? {} : { config }),
    ...(check === undefined ? {} : { check }),
    run: (context) => run(filter, context),
  });
}

async function run<Config, Tools>(filter: Filter<Config, Tools>, context: StageContext<Config>): Promise<void> {
  const { rejects = false, reasons = [] } = filter;
  const { config } = context;
  const output = new DocumentOutput(context, {
    rejects: typeof rejects === 'boolean' ? rejects : config[rejects] === true,
  });
  for (const reason of reasons) context.drop(reason, 0);
  const tools = (await filter.setUp?.(context)) as Tools;
  const isLinked = filter.keepsAll?.(tools) === true && output.link(context.dataset('documents').shards);
  const count = (name: string, label: string, by = 1): void => output.report.count(name, label, by);
  for await (const { document, number } of documentsOf(context, output)) {
    if (isLinked) output.report.keep(document);
    else {
      const { id } = document;
      const verdict = await filter.judge(document, config, { tools, number, count });
      await output.settle(checked(verdict, id), document);
    }
  }
  await output.end();
}

/** Checks what `judge` returned: a stage in JavaScript, or one that forgot a branch, may return anything. */
function checked(verdict: Verdict, id: string): Verdict {
  const isVerdict = typeof verdict === 'string' ? verdict !== '' : typeof verdict === 'object' && verdict !== null;
  if (isVerdict && !(Array.isArray(verdict) && verdict.length === 0)) return verdict;
  throw new TypeError(
    `judge() returned ${JSON.stringify(verdict)} for document "${id}": it must return the document, several ` +
      'documents, or the reason for dropping it',
  );
}
