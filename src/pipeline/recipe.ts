import type { Diagnostic } from '../core/diagnostic.ts';
import type { StageDescription } from '../core/pipeline.ts';
import type { Result } from '../core/result.ts';
import type { Port } from '../core/stage.ts';
import { mainOutput } from '../core/stage.ts';
import type { Contracts } from './contracts.ts';
import { parseReference } from './reference-syntax.ts';
import {
  child,
  entriesOf,
  nodeOf,
  stringNodes,
  stringOf,
  valueOf,
  type Span,
  type YamlNode,
  type YamlScalar,
} from './node.ts';
import type { Problems } from './problems.ts';
import { readDocument } from './read.ts';
import { validate, type JsonSchema } from './schema.ts';
import { suggest } from './suggest.ts';

/** The inside of a composite stage type, with locations. */
export interface Recipe {
  /** `stages:`, a map. */
  readonly stages: YamlNode;
  /** By output: its possible sources; the first that exists is used. */
  readonly from: ReadonlyMap<string, readonly (YamlScalar & { readonly value: string })[]>;
  /** Whether it is a stage type of the project, whose steps may be used by name. */
  readonly isBuiltIn: boolean;
}

export interface RecipeType {
  readonly type: StageDescription;
  readonly recipe: Recipe;
}

/** What reading a recipe depends on. */
export interface RecipeContext {
  readonly contracts: Contracts;
  /** `recipe.schema.json`, with the definition of a stage. */
  readonly schema: JsonSchema;
  readonly problems: Problems;
  /** Describes the stage type that a step uses. */
  readonly describe: (uses: string, directory: string) => Promise<Result<StageDescription, Diagnostic>>;
}

/** Read a recipe; `undefined` after a problem. An output has the contract of the step's output that it comes from. */
export async function readRecipe(
  file: string,
  uses: string,
  at: Span | undefined,
  context: RecipeContext,
): Promise<RecipeType | undefined> {
  const { contracts, schema, problems } = context;
  const before = problems.count;
  const document = await readDocument(file, problems, at);
  if (document === undefined) return undefined;
  validate(
    schema,
    valueOf(document),
    { node: document, at: document.span, name: `the recipe ${uses}`, templates: true },
    problems,
  );
  if (problems.count > before) return undefined;

  const inputs: Record<string, Port> = {};
  for (const [name, { node }] of entriesOf(child(document, 'inputs'))) {
    const contract = child(node, 'contract');
    inputs[name] = {
      contract: stringOf(contract) ?? '',
      description: stringOf(child(node, 'description')) ?? '',
      ...flag(node, 'many'),
      ...flag(node, 'optional'),
    };
    if (contract !== undefined && !contracts.names().includes(inputs[name].contract))
      problems.add(
        'unknown-contract',
        `unknown contract \`${inputs[name].contract}\``,
        contract.span,
        suggest(inputs[name].contract, contracts.names(), 'contracts'),
      );
  }
  const stages = child(document, 'stages') ?? document;
  const from = new Map<string, readonly (YamlScalar & { readonly value: string })[]>();
  const outputs: Record<string, Port> = {};
  for (const [name, { node }] of entriesOf(child(document, 'outputs'))) {
    const sources = stringNodes(child(node, 'from'));
    from.set(name, sources);
    const [first] = sources;
    const contract = first === undefined ? undefined : await contractOf(first, name, stages, inputs, context);
    if (contract === undefined) continue;
    const when = stringOf(child(node, 'when'));
    outputs[name] = {
      contract,
      description: stringOf(child(node, 'description')) ?? '',
      ...flag(node, 'optional'),
      ...(when === undefined ? {} : { when }),
    };
  }
  if (problems.count > before) return undefined;
  const config = child(document, 'config');
  const type: StageDescription = {
    type: uses,
    description: stringOf(child(document, 'description')) ?? '',
    inputs,
    outputs,
    config:
      config === undefined
        ? { type: 'object', additionalProperties: false, properties: {} }
        : (valueOf(config) as JsonSchema),
    implementation: '',
    module: '',
  };
  return { type, recipe: { stages, from, isBuiltIn: false } };
}

/** `recipe.schema.json` with the definition of a stage from the pipeline's schema. */
export function recipeSchema(recipe: JsonSchema, pipeline: JsonSchema): JsonSchema {
  return { ...recipe, definitions: pipeline.definitions };
}

/** The recipe of one of the project's composite stage types; everything in it is located where the pipeline uses it. */
export function builtInRecipe({ composition }: StageDescription, at: Span): Recipe | undefined {
  if (composition === undefined) return undefined;
  const from = Object.entries(composition.from).map(
    ([port, references]) => [port, references.map((value) => ({ kind: 'scalar', span: at, value }) as const)] as const,
  );
  return { stages: nodeOf(composition.stages, at), from: new Map(from), isBuiltIn: true };
}

/** The contract of the output that `from` names, before any config is known. */
async function contractOf(
  { value, span }: YamlScalar & { readonly value: string },
  output: string,
  stages: YamlNode,
  inputs: Readonly<Record<string, Port>>,
  { problems, describe }: RecipeContext,
): Promise<string | undefined> {
  const { name, port } = parseReference(value) ?? {};
  if (name === undefined) {
    problems.add(
      'bad-reference',
      `\`${value}\` is not a reference`,
      span,
      'write `stage`, `stage.port` or `inputs.name`',
    );
    return undefined;
  }
  if (name === 'inputs') {
    const found = port === undefined ? undefined : inputs[port];
    if (found === undefined)
      problems.add(
        'unknown-port',
        `unknown input \`${port ?? ''}\``,
        span,
        suggest(port ?? '', Object.keys(inputs), 'inputs'),
      );
    return found?.contract;
  }
  const step = child(stages, name);
  if (step === undefined) {
    problems.add(
      'unknown-stage',
      `unknown stage \`${name}\``,
      span,
      suggest(name, [...entriesOf(stages).keys()], 'stages'),
    );
    return undefined;
  }
  const outputs = await outputsOf(step, describe);
  if (outputs === undefined) return ''; // reported where the step's type is looked up
  const chosen = port ?? (output in outputs ? output : mainOutput(outputs));
  const found = chosen === undefined ? undefined : outputs[chosen];
  if (found === undefined)
    problems.add(
      'unknown-port',
      `\`${name}\` does not have an output \`${chosen ?? output}\``,
      span,
      suggest(chosen ?? output, Object.keys(outputs), 'its outputs'),
    );
  return found?.contract;
}

async function outputsOf(
  step: YamlNode,
  describe: RecipeContext['describe'],
): Promise<StageDescription['outputs'] | undefined> {
  const uses = child(step, 'uses');
  if (uses === undefined) {
    const written = [...entriesOf(child(step, 'outputs'))].map(([name, { node }]): [string, Port] => [
      name,
      {
        contract: stringOf(node.kind === 'scalar' ? node : child(node, 'contract')) ?? '',
        description: '',
        ...flag(node, 'optional'),
      },
    ]);
    return Object.fromEntries(written);
  }
  const described = await describe(stringOf(uses) ?? '', uses.span.source.directory);
  return described.ok ? described.value.outputs : undefined;
}

function flag<K extends 'many' | 'optional'>(node: YamlNode, key: K): { readonly [key in K]?: true } {
  const value = child(node, key);
  return (value?.kind === 'scalar' && value.value === true ? { [key]: true } : {}) as { readonly [key in K]?: true };
}
