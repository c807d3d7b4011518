import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Catalogue, Pipeline } from '../core/pipeline.ts';
import { err, ok, type Result } from '../core/result.ts';
import { checkConfigs } from './check-configs.ts';
import type { Inherited, ResolveBackend } from './config.ts';
import { connect, type LoadContext } from './connect.ts';
import { Contracts } from './contracts.ts';
import { interpolate } from './interpolate.ts';
import { child, stringOf, valueOf, type YamlNode } from './node.ts';
import { importersOf } from './importers.ts';
import { inOrder, openComposites } from './open-composites.ts';
import { orderStages } from './order.ts';
import { applyOverrides } from './overrides.ts';
import { Problems } from './problems.ts';
import { readDocument } from './read.ts';
import { recipeSchema } from './recipe.ts';
import { readRounds, reportWaits, toLoop } from './rounds.ts';
import { validate, type JsonSchema } from './schema.ts';
import { StageTypes } from './stage-types.ts';
import { stageSchema, unroll } from './unroll.ts';
import { Vars } from './vars.ts';

export interface LoadOptions {
  readonly file: string;
  /** `--set` arguments: `vars.x=1`, `stages.tokenize.with.max_length=128`. */
  readonly set: readonly string[];
  readonly catalogue: Catalogue;
  /** `schemas/contracts`; `pipeline.schema.json` is next to it. */
  readonly contracts: string;
  readonly resolveBackend: ResolveBackend;
}

/**
 * Load a pipeline: read, include, `--set`, validate, interpolate, unroll, connect and check. All problems are reported
 * at once.
 */
export async function loadPipeline(options: LoadOptions): Promise<Result<Pipeline, readonly Diagnostic[]>> {
  const problems = new Problems();
  const read = await readDocument(options.file, problems);
  if (read === undefined) return err(problems.list());
  const document = applyOverrides(read, options.set, problems);
  const readSchema = async (name: string): Promise<JsonSchema> =>
    JSON.parse(await readFile(join(options.contracts, '..', `${name}.schema.json`), 'utf8')) as JsonSchema;
  const schema = await readSchema('pipeline');
  validate(
    schema,
    valueOf(document),
    { node: document, at: document.span, name: 'the pipeline', templates: true },
    problems,
  );

  const vars = new Vars(child(document, 'vars'), problems);
  vars.checkAll();
  const header = interpolateHeader(document, vars, schema, problems);
  const rounds = readRounds(header, document, vars, problems);
  const contracts = new Contracts(options.contracts);
  const ofStages = stageSchema(schema);
  const instances = unroll(child(document, 'stages'), {
    scope: vars,
    roundsOf: (name) => (rounds?.names.has(name) === true ? rounds.max : undefined),
    schema: ofStages,
    problems,
  });
  const context: LoadContext = {
    contracts,
    importers: importersOf(options.catalogue.list()),
    types: new StageTypes({
      catalogue: options.catalogue,
      contracts,
      recipeSchema: async () => recipeSchema(await readSchema('recipe'), schema),
      problems,
    }),
    defaults: child(header, 'defaults'),
    inherited: inherited(header, options),
    problems,
    typeOf: new Map(),
  };
  const file = resolve(options.file);
  const { drafts, isOrdered } = await connect(instances, { directory: dirname(file), rounds }, context);
  const { all, running, composites } = await openComposites(isOrdered ? drafts : [], ofStages, context);
  await checkConfigs(isOrdered ? all : drafts, options.catalogue, problems);
  const { sorted } = orderStages(running.map(({ node }) => node));
  if (rounds !== undefined) reportWaits(sorted, (id) => running.find(({ node }) => node.id === id)?.stage.at, problems);
  if (problems.count > 0) return err(problems.list());
  const loop = rounds === undefined ? undefined : toLoop(rounds, sorted);
  return ok({
    name: stringOf(child(header, 'name')) ?? basename(file, extname(file)),
    file,
    stages: sorted,
    composites: inOrder(composites, sorted),
    ...(loop === undefined ? {} : { loop }),
  });
}

/** Everything except vars and stages, with its expressions computed; validated again if that changed something. */
function interpolateHeader(document: YamlNode, vars: Vars, schema: JsonSchema, problems: Problems): YamlNode {
  if (document.kind !== 'map') return document;
  const before = problems.count;
  const rounds = document.entries.get('rounds');
  const header: YamlNode = {
    ...document,
    entries: new Map([...document.entries].filter(([key]) => key !== 'vars' && key !== 'stages')),
  };
  // `until` is an expression over metrics, which are not yet known.
  const until = child(rounds?.node, 'until');
  const result = interpolate(until === undefined ? header : withoutUntil(header), vars, problems);
  if (result !== header && problems.count === before) {
    validate(
      schema,
      { ...(valueOf(result) as object), stages: { placeholder: {} } },
      { node: result, at: result.span, name: 'the pipeline' },
      problems,
    );
  }
  return result;
}

function withoutUntil(header: YamlNode): YamlNode {
  if (header.kind !== 'map') return header;
  const rounds = header.entries.get('rounds');
  if (rounds?.node.kind !== 'map') return header;
  const kept = new Map([...rounds.node.entries].filter(([key]) => key !== 'until'));
  return {
    ...header,
    entries: new Map([...header.entries, ['rounds', { key: rounds.key, node: { ...rounds.node, entries: kept } }]]),
  };
}

function inherited(header: YamlNode, options: LoadOptions): Inherited {
  const seed = child(header, 'seed');
  const backend = child(header, 'backend');
  return {
    seed: seed?.kind === 'scalar' && typeof seed.value === 'number' ? seed.value : 42,
    backend: stringOf(backend) ?? 'auto',
    ...(backend === undefined ? {} : { backendAt: backend.span }),
    resolveBackend: options.resolveBackend,
  };
}
