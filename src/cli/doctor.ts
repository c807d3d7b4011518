import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { installable, readInstallation } from '../backends/installation.ts';
import { openBackend } from '../backends/select.ts';
import { bytes, describeBackend } from '../reporting/format.ts';
import { exitCodes, print } from './exit.ts';
import { packageRoot } from '../core/package-root.ts';
import { backendResolver, backendsRoot, projectOf, storeRoot } from './workspace.ts';

/** `doctor`: what this machine offers, whether the store is writable, and which backend a run would use and why. */
export async function doctorCommand(options: { store?: string; json?: boolean }): Promise<number> {
  const store = storeRoot(options.store, projectOf(join(process.cwd(), 'x')));
  const checks = [
    checkNode(),
    { ok: true, text: `${cpus().length} cores, ${bytes(totalmem())} of memory` },
    checkBuild(),
    checkStore(store),
    ...(await checkBackends()),
  ];
  for (const { ok, text } of checks)
    print(options.json ? JSON.stringify({ ok, text }) : `${ok ? 'ok     ' : 'problem'}  ${text}`);
  return checks.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.stageFailed;
}

interface Check {
  readonly ok: boolean;
  readonly text: string;
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { ok, text: `Node ${process.versions.node}${ok ? '' : '; 20.19 or newer is required'}` };
}

function checkBuild(): Check {
  const ok = existsSync(join(packageRoot, 'dist/catalogue.json'));
  return { ok, text: ok ? `stages are built (${join(packageRoot, 'dist')})` : 'stages are not built: npm run build' };
}

function checkStore(store: string): Check {
  try {
    const parent = existsSync(store) ? store : dirname(store);
    mkdirSync(parent, { recursive: true });
    accessSync(parent, constants.W_OK);
    const { bavail, bsize } = statfsSync(parent);
    return { ok: true, text: `store ${store}, ${bytes(bavail * bsize)} free` };
  } catch (error) {
    return { ok: false, text: `store ${store} is not writable: ${(error as Error).message}` };
  }
}

/** The backend that `auto` selects must start. For the others it reports whether a pipeline could use them. */
async function checkBackends(): Promise<Check[]> {
  const resolve = backendResolver();
  const choice = resolve('auto');
  const others = installable
    .filter((name) => name !== choice.name)
    .map((name): Check => {
      const installation = readInstallation(backendsRoot(), name);
      return {
        ok: true,
        text:
          `backend ${name} ` +
          `${installation.ok ? `is also set up: ${installation.value.version} in ${installation.value.folder}` : `${installation.error}: npx run-pipeline setup ${name}`}`,
      };
    });
  try {
    await openBackend(choice);
    return [{ ok: true, text: describeBackend(choice) }, ...others];
  } catch (error) {
    return [{ ok: false, text: (error as Error).message }, ...others];
  }
}
