import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from '../core/diagnostic.ts';
import type { Catalogue, StageDescription } from '../core/pipeline.ts';
import { err, ok } from '../core/result.ts';
import type { StageType } from '../core/stage.ts';
import { isPath } from '../core/paths.ts';
import { describeUserStage } from './user-stage.ts';

export interface CatalogueOptions {
  /** Folder of the compiled project: `catalogue.json`, `src/`, `stages/`. */
  readonly distribution: string;
  /** Folder for bundles of users' own stages. */
  readonly cache: string;
}

/**
 * Stage types by name, as recorded by the build, and users' own by file: those are bundled and run once to read their
 * ports.
 */
export function createCatalogue({ distribution, cache }: CatalogueOptions): Catalogue {
  const { stageTypes: listed } = JSON.parse(readFileSync(join(distribution, 'catalogue.json'), 'utf8')) as {
    readonly stageTypes: Readonly<Record<string, StageDescription>>;
  };
  const at = (path: string): string => join(distribution, path);
  const installed = ({ checkModule, ...description }: StageDescription): StageDescription => ({
    ...description,
    module: at(description.module),
    ...(checkModule === undefined ? {} : { checkModule: at(checkModule) }),
  });
  return {
    list: () =>
      Object.values(listed)
        .filter(({ type }) => !type.includes('/'))
        .map(installed),

    async describe(uses, fromDirectory) {
      if (!isPath(uses)) {
        const found = Object.hasOwn(listed, uses) ? listed[uses] : undefined;
        return found
          ? ok(installed(found))
          : err({
              code: 'unknown-stage-type',
              message: `Unknown stage type "${uses}".`,
              help: 'List them with `run-pipeline stages`; the path of your own stage starts with `./`.',
            });
      }
      try {
        return ok(
          await describeUserStage(resolve(fromDirectory, uses), {
            type: uses,
            cache,
            framework: join(distribution, 'src/index.js'),
          }),
        );
      } catch (error) {
        if (error instanceof Failure) return err(error.diagnostic);
        throw error;
      }
    },

    async check({ checkModule }, config) {
      if (checkModule === undefined) return [];
      // The project's stages keep theirs in a small separate file: loading a whole trainer would make every run start
      // slowly.
      const loaded = (await import(pathToFileURL(checkModule).href)) as {
        check?: StageType['check'];
        default?: StageType;
      };
      return (loaded.check ?? loaded.default?.check)?.({ ...config }) ?? [];
    },
  };
}
