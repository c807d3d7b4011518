import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bridgeSources, installationFile, stampOf, type Installation } from '../../src/backends/installation.ts';

/** A folder of backends with TensorFlow in it, or another, as setup leaves it, but for what the files hold. */
export function madeBackends(more: Partial<Installation> = {}): { root: string; library: string; bridge: string } {
  const root = mkdtempSync(join(tmpdir(), 'backends-'));
  const [library, bridge, modules] = [
    'lib/libtensorflow_cc.so.2',
    'tensorflow/addons/1/tfjs_binding.node',
    'tensorflow/npm/package',
  ].map((path) => join(root, path)) as [string, string, string];
  for (const path of [library, bridge, modules]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
  }
  const installation: Installation = {
    v: 1,
    backend: 'tensorflow',
    version: '2.21.0',
    bridge,
    modules,
    cuda: true,
    library: stampOf(library),
    sources: bridgeSources(more.backend ?? 'tensorflow'),
    folder: join(root, 'lib'),
    ...more,
  };
  const file = installationFile(root, installation.backend);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(installation));
  return { root, library, bridge };
}

/** A folder in which nothing is set up. */
export const noBackends = (): string => mkdtempSync(join(tmpdir(), 'no-backends-'));
