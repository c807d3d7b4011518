import { expect, it } from 'vitest';
import { loaded } from './fixture.ts';

it('loads 5,000 stages, one chain, without recursion', async () => {
  const lines = Array.from(
    { length: 5000 },
    (_, i) => `  s${i}: { uses: clean, inputs: { documents: ${i === 0 ? 'crawl' : `s${i - 1}`} } }`,
  );
  const pipeline = await loaded(`stages:\n  crawl: { uses: ingest, with: { path: x } }\n${lines.join('\n')}\n`);
  expect(pipeline.stages.at(-1)?.id).toBe('s4999');
});

it('unrolls a matrix of 10,000', async () => {
  const values = (count: number) => `[${Array.from({ length: count }, (_, i) => i).join(',')}]`;
  const pipeline = await loaded(`stages:
  crawl: { uses: ingest, with: { path: "\${{ matrix.a }}/\${{ matrix.b }}" }, matrix: { a: ${values(50)}, b: ${values(100)} } }
  clean: { uses: clean, inputs: { documents: crawl }, matrix: { a: ${values(50)}, b: ${values(100)} } }\n`);
  expect(pipeline.stages).toHaveLength(10_000);
});
