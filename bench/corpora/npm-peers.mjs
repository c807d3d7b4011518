// Libraries from npm to compare with, installed into a temporary folder: the package itself needs none of them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Install packages; `load` imports one, `version` says its name and version, `folder` is there for other files too. */
export function installPeers(...names) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-corpora-'));
  writeFileSync(join(folder, 'package.json'), '{}');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', ...names], { cwd: folder });
  const require = createRequire(join(folder, 'package.json'));
  return {
    folder,
    load: (name) => import(pathToFileURL(require.resolve(name)).href),
    version: (name) =>
      `${name} ${JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version}`,
  };
}
