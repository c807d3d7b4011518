// Bundles tokens.ts and runs it: node bench/corpora/run.mjs [job …].
import { build } from 'esbuild';
import { machine } from '../runner/measure.mjs';

const outfile = new URL('../../dist/bench-corpora.mjs', import.meta.url).pathname;
await build({
  entryPoints: [new URL('tokens.ts', import.meta.url).pathname],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
});
console.log(`${machine()}\n`);
await import(outfile);
