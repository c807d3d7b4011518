import { join, resolve } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import { ok, type Result } from '../core/result.ts';
import type { Package } from './bridge.ts';
import {
  findActive,
  findBasePython,
  findEnvironment,
  installPrivately,
  packageOf,
  sweepEnvironments,
} from './python.ts';
import type { Context } from './set-up.ts';

/** The package that the user named, if any. */
export async function namedPackage({
  bridge,
  folder,
  python,
  signal,
}: Context): Promise<Result<Package, Diagnostic> | undefined> {
  if (python !== undefined) return packageOf(python, bridge, signal);
  return folder === undefined ? undefined : bridge.inspect(resolve(folder));
}

/** The package found on this machine, or newly installed. */
export async function findPackage(
  { bridge, home, signal, say }: Context,
  wantsCuda: boolean,
): Promise<Result<Package, Diagnostic>> {
  const active = await findActive(bridge, wantsCuda, signal);
  if (active !== undefined) return ok(active);
  const requirement = bridge.requirement(wantsCuda);
  let environment = findEnvironment(home, requirement);
  if (environment === undefined) {
    const base = await findBasePython(bridge, signal);
    if (!base.ok) return base;
    sweepEnvironments(home, undefined);
    say({
      name: 'package',
      done: false,
      text:
        `installing ${requirement} with pip into ${home} ` +
        `(${wantsCuda ? 'several gigabytes' : 'several hundred megabytes'}; takes minutes)`,
    });
    const installed = await installPrivately(base.value, home, bridge, wantsCuda, signal);
    if (!installed.ok) return installed;
    environment = installed.value;
  }
  return packageOf(join(environment, 'bin/python'), bridge, signal);
}
