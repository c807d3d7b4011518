// One large dump on one and on two cores: `npm run build && node bench/corpora/scaling.mjs` (Linux; COPIES=12 of the
// sample's pages, ROUNDS=3).
// Makes a multistream dump of the sample's pages, 100 to a stream as Wikipedia's have, and runs the stage over it
// through the command line, in turns. Wall time is true only on an idle machine; the processor time of the busiest
// thread says how fast the run could be at best, whatever else the machine does.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machine } from '../runner/measure.mjs';

const data = process.env.DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const copies = Number(process.env.COPIES ?? 12);
const folder = mkdtempSync(join(tmpdir(), 'bench-scaling-'));
const cli = fileURLToPath(new URL('../../bin/run-pipeline.js', import.meta.url));

const bunzip = (path) => execFileSync('bzip2', ['-dc', path], { encoding: 'utf8', maxBuffer: 1 << 30 });
const xml = bunzip(join(data, 'wikipedia/smallwiki-pages-articles.xml.bz2'));
const first = xml.indexOf('<page>');
const pages = xml.slice(first, xml.lastIndexOf('</page>') + 7).split(/(?<=<\/page>)/);
const all = Array.from({ length: copies }, () => pages).flat();
const streams = [xml.slice(0, first)];
for (let at = 0; at < all.length; at += 100) streams.push(all.slice(at, at + 100).join(''));
const dump = join(folder, 'ltgwiki-20261101-pages-articles-multistream.xml.bz2');
writeFileSync(
  dump,
  Buffer.concat([...streams, '</mediawiki>'].map((text) => execFileSync('bzip2', { input: text, maxBuffer: 1 << 28 }))),
);
const megabytes = streams.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
console.log(
  `${machine()}\n\n${all.length} pages, ${megabytes.toFixed(0)} MB of XML in ${streams.length + 1} streams\n`,
);

const runs = new Map();
for (let round = 0; round < Number(process.env.ROUNDS ?? 3); round++)
  for (const cpus of [1, 2]) {
    const pipeline = join(folder, 'p.yaml');
    writeFileSync(
      pipeline,
      `name: p\nstages:\n  wikipedia: { uses: ingest-wikipedia, resources: { cpus: ${cpus} }, with: { dump: ` +
        `${dump} } }\n`,
    );
    rmSync(join(folder, '.run-pipeline'), { recursive: true, force: true });
    runs.set(cpus, [...(runs.get(cpus) ?? []), await measure([cli, pipeline])]);
  }
const best = (cpus, of) => Math.min(...runs.get(cpus).map((run) => run[of]));
console.log(
  '| cores | wall s | busiest thread s | all threads s | MB/s of XML at best |\n| --: | --: | --: | --: | --: |',
);
for (const cpus of runs.keys())
  console.log(
    `| ${cpus} | ${best(cpus, 'wall').toFixed(1)} | ${best(cpus, 'busiest').toFixed(1)} | ` +
      `${best(cpus, 'total').toFixed(1)} | ${(megabytes / best(cpus, 'busiest')).toFixed(1)} |`,
  );
console.log(
  `\nTwo cores against one: wall ×${(best(1, 'wall') / best(2, 'wall')).toFixed(2)}, busiest thread ` +
    `×${(best(1, 'total') / Math.max(best(2, 'busiest'), best(2, 'total') / 2)).toFixed(2)}`,
);
rmSync(folder, { recursive: true });

/** Run Node with these arguments; wall seconds, and processor seconds of the threads of it and of its children. */
async function measure(args) {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'ignore', cwd: folder });
  const seconds = new Map();
  const poll = setInterval(() => {
    for (const pid of family(child.pid))
      for (const tid of list(`/proc/${pid}/task`)) {
        const [, rest = ''] = read(`/proc/${pid}/task/${tid}/stat`).split(') ');
        const fields = rest.split(' ');
        if (fields.length > 12) seconds.set(tid, (Number(fields[11]) + Number(fields[12])) / 100);
      }
  }, 50);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(poll);
  if (code !== 0) throw new Error(`the run ended with ${code}`);
  return {
    wall: (performance.now() - start) / 1000,
    busiest: Math.max(...seconds.values()),
    total: [...seconds.values()].reduce((sum, part) => sum + part, 0),
  };
}

function family(root) {
  const children = list(`/proc/${root}/task`).flatMap((tid) =>
    read(`/proc/${root}/task/${tid}/children`).split(' ').filter(Boolean),
  );
  return [String(root), ...children.flatMap(family)];
}

function list(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
