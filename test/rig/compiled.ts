import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** A module of the sources as JavaScript, for a thread or process of its own. */
export async function compiled(path: string): Promise<URL> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'compiled-')), 'module.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../..', path)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  return pathToFileURL(outfile);
}
