import { resolve } from 'node:path';
import type { Catalogue, StageDescription } from '../core/pipeline.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { describeShell } from './config.ts';
import type { Contracts } from './contracts.ts';
import type { Instance } from './instances.ts';
import { child, locationOf, stringOf, type Span } from './node.ts';
import { isPath, isRecipe } from '../core/paths.ts';
import type { Problems } from './problems.ts';
import { builtInRecipe, readRecipe, type Recipe, type RecipeType } from './recipe.ts';
import type { JsonSchema } from './schema.ts';
import { suggest } from './suggest.ts';

type Found = { readonly type: StageDescription; readonly recipe?: Recipe };

export interface StageTypesOptions {
  readonly catalogue: Catalogue;
  readonly contracts: Contracts;
  /** Read only if there is a recipe; see {@link recipeSchema}. */
  readonly recipeSchema: () => Promise<JsonSchema>;
  readonly problems: Problems;
}

/** Looks up what stages use, once per stage type, regardless of the number of instances. */
export class StageTypes {
  private readonly options: StageTypesOptions;
  private readonly names: readonly string[];
  private readonly known = new Map<string, StageDescription | undefined>();
  private readonly recipes = new Map<string, RecipeType | undefined>();

  constructor(options: StageTypesOptions) {
    this.options = options;
    this.names = options.catalogue.list().map(({ type }) => type);
  }

  /**
   * @param mayUseSteps whether it is a step of one of the project's composite types, which use their own steps by name
   */
  async of(instance: Instance, mayUseSteps: boolean): Promise<Found | undefined> {
    const { contracts, problems } = this.options;
    const uses = child(instance.node, 'uses');
    if (child(instance.node, 'run') !== undefined)
      return uses === undefined ? { type: describeShell(instance, contracts, problems) } : undefined;
    const name = stringOf(uses);
    if (uses === undefined || name === undefined || name.includes('${{')) return undefined;
    if (isRecipe(name)) return this.recipe(resolve(uses.span.source.directory, name), name, uses.span);
    if (!isPath(name) && !mayUseSteps && !this.names.includes(name)) {
      const help = suggest(name, this.names, 'stage types') ?? 'use your own with `uses: ./my-stage.ts`';
      problems.add('unknown-stage-type', `unknown stage type \`${name}\``, uses.span, help, instance.name);
      return undefined;
    }
    const type = await this.describe(name, uses.span, instance.name);
    if (type === undefined) return undefined;
    const recipe = builtInRecipe(type, instance.at);
    return { type, ...(recipe === undefined ? {} : { recipe }) };
  }

  private async describe(name: string, at: Span, stage: string): Promise<StageDescription | undefined> {
    const { directory } = at.source;
    const key = isPath(name) ? resolve(directory, name) : name;
    if (!this.known.has(key)) {
      const described = await this.options.catalogue.describe(name, directory);
      this.known.set(key, described.ok ? described.value : undefined);
      if (!described.ok)
        this.options.problems.addDiagnostic({
          ...described.error,
          location: described.error.location ?? locationOf(at),
          stage,
        });
    }
    return this.known.get(key);
  }

  private async recipe(file: string, name: string, at?: Span): Promise<RecipeType | undefined> {
    if (this.recipes.has(file)) return this.recipes.get(file);
    this.recipes.set(file, undefined); // while it is read; one that uses itself is reported when it is opened
    const { contracts, recipeSchema, problems } = this.options;
    const schema = await recipeSchema();
    const describe = (uses: string, directory: string) => this.promisesOf(uses, directory);
    const recipe = await readRecipe(file, name, at, { contracts, schema, problems, describe });
    this.recipes.set(file, recipe);
    return recipe;
  }

  /** The ports of what a step uses; problems are reported when the step is connected. */
  private async promisesOf(uses: string, directory: string): Promise<Result<StageDescription, Diagnostic>> {
    if (!isRecipe(uses)) return this.options.catalogue.describe(uses, directory);
    const recipe = await this.recipe(resolve(directory, uses), uses);
    return recipe === undefined ? err({ code: 'bad-recipe', message: `${uses} cannot be read` }) : ok(recipe.type);
  }
}
