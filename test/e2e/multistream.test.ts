import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { digestsOf, eventsOf, Project } from '../rig/project.ts';

const words =
  'river bridge mountain forest village harbour market winter summer road stone water light garden tower field'.split(
    ' ',
  );
let seed = 1;
const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
const text = () =>
  Array.from({ length: 400 }, () => `${words[random(words.length)]} ${random(1e9).toString(36)}`).join(' ');
const xml = Buffer.from(
  `<mediawiki xml:lang="en"><siteinfo><dbname>enwiki</dbname></siteinfo>\n${Array.from(
    { length: 1500 },
    (_, i) =>
      `<page><title>Pāge ${i}</title><ns>${i % 10 === 0 ? 1 : 0}</ns><id>${i}</id><revision><id>1</id>` +
      `<text>'''Page''' ${text()}</text></revision></page>`,
  ).join('\n')}</mediawiki>`,
);

/** Streams that end anywhere, within a page and within a character, as pbzip2 makes them. */
const bzip2 = (bytes: Uint8Array) => execFileSync('bzip2', { input: bytes, maxBuffer: 1 << 28 });
const size = 500_001;
const streams = Array.from({ length: Math.ceil(xml.length / size) }, (_, i) =>
  bzip2(xml.subarray(i * size, (i + 1) * size)),
);

const run = async (dump: Uint8Array, cpus: number, ...args: string[]) => {
  const project = new Project({
    'p.yaml':
      `name: p\nstages:\n  wikipedia: { uses: ingest-wikipedia, resources: { cpus: ${cpus} }, with: { dump: ` +
      `enwiki-20261101-pages.xml.bz2 } }\n`,
  });
  project.write('enwiki-20261101-pages.xml.bz2', dump);
  return project.run('p.yaml', '--json', ...args);
};

it('one thread and two, one stream and many give the same bytes', async () => {
  const many = Buffer.concat(streams);
  expect(many.length).toBeGreaterThan(2 << 20); // several ranges for the threads
  const results = [await run(bzip2(xml), 1), await run(bzip2(xml), 2), await run(many, 1), await run(many, 2)];
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(eventsOf(results[3]!).find(({ type }) => type === 'stage-end')?.metrics).toMatchObject({
    'documents.in': 1500,
    'documents.out': 1350,
    'dropped.namespace': 150,
  });
  expect(new Set(results.map((result) => digestsOf(result)['wikipedia'])).size).toBe(1);
  const limited = await Promise.all(
    [1, 2].map(
      async (cpus) => digestsOf(await run(many, cpus, '--set', 'stages.wikipedia.with.max_documents=700'))['wikipedia'],
    ),
  );
  expect(limited[0]).toBe(limited[1]);
});

it('damage in the middle is told of, whoever decompresses it', async () => {
  const damaged = Buffer.concat(streams);
  damaged.fill(0x55, damaged.length >> 1, (damaged.length >> 1) + 50);
  for (const bytes of [damaged, Buffer.concat(streams).subarray(0, -1000)]) {
    const result = await run(bytes, 2);
    expect(result.code).toBe(1);
    expect(eventsOf(result).find(({ diagnostic }) => diagnostic !== undefined)?.diagnostic?.code).toBe('corrupt-bzip2');
  }
});
