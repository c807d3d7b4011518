import { join, resolve } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import { ok, type Result } from '../core/result.ts';
import type { Package } from './recipe.ts';
import {
  findActive,
  findBasePython,
  findEnvironment,
  installPrivately,
  packageOf,
  sweepEnvironments,
} from './python.ts';
import type { Context } from './context.ts';

/** The package that the user named, if any. */
export async function namedPackage({
  recipe,
  folder,
  python,
  signal,
}: Context): Promise<Result<Package, Diagnostic> | undefined> {
  if (python !== undefined) return packageOf(python, recipe, signal);
  return folder === undefined ? undefined : recipe.inspect(resolve(folder));
}

/** The package found on this machine, or newly installed. */
export async function findPackage(
  { recipe, home, signal, say }: Context,
  wantsCuda: boolean,
): Promise<Result<Package, Diagnostic>> {
  const active = await findActive(recipe, wantsCuda, signal);
  if (active !== undefined) return ok(active);
  const requirement = recipe.requirement(wantsCuda);
  let environment = findEnvironment(home, requirement);
  if (environment === undefined) {
    const base = await findBasePython(recipe, signal);
    if (!base.ok) return base;
    sweepEnvironments(home, undefined);
    say({
      name: 'package',
      done: false,
      text:
        `installing ${requirement} with pip into ${home} ` +
        `(${wantsCuda ? 'several gigabytes' : 'several hundred megabytes'}; takes minutes)`,
    });
    const installed = await installPrivately(base.value, home, recipe, wantsCuda, signal);
    if (!installed.ok) return installed;
    environment = installed.value;
  }
  return packageOf(join(environment, 'bin/python'), recipe, signal);
}
