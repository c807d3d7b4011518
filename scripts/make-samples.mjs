/**
 * Write `samples/`: every text in it is composed here, with the same bytes every time. Needs the system's `bzip2`. Run
 * `node scripts/make-samples.mjs` after changing `scripts/samples/`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chinese } from './samples/chinese.mjs';
import { crawl } from './samples/crawl.mjs';
import { sentiment } from './samples/sentiment.mjs';
import { wikipedia } from './samples/wikipedia.mjs';

const files = { ...wikipedia(), ...crawl(), ...sentiment(), ...chinese() };
for (const [path, content] of Object.entries(files)) {
  const file = fileURLToPath(new URL(`../samples/${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`${String(Buffer.byteLength(content)).padStart(9)}  samples/${path}`);
}
