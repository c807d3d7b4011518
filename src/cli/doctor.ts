import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { openBackend } from '../backends/select.ts';
import { bytes } from '../reporting/format.ts';
import { exitCodes, print } from './exit.ts';
import { packageRoot, projectOf, storeRoot } from './workspace.ts';

/** `doctor`: what this machine offers, whether the store can be written, and which backend a run would use and why. */
export async function doctorCommand(options: { store?: string }): Promise<number> {
  const store = storeRoot(options.store, projectOf(join(process.cwd(), 'x')));
  const checks = [checkNode(), { ok: true, text: `${cpus().length} cores, ${bytes(totalmem())} of memory` }, checkBuild(), checkStore(store), await checkBackend()];
  for (const { ok, text } of checks) print(`${ok ? 'ok     ' : 'problem'}  ${text}`);
  return checks.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.stageFailed;
}

interface Check {
  readonly ok: boolean;
  readonly text: string;
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { ok, text: `Node ${process.versions.node}${ok ? '' : ': 20.19 or newer is needed'}` };
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
    return { ok: false, text: `store ${store} cannot be written: ${(error as Error).message}` };
  }
}

async function checkBackend(): Promise<Check> {
  try {
    const { name, reason } = await openBackend('auto');
    return { ok: true, text: `backend ${name}: ${reason}` };
  } catch (error) {
    return { ok: false, text: `no backend starts: ${(error as Error).message}` };
  }
}
