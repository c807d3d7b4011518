import { describe, expect, it } from 'vitest';
import { missingModules, runPython } from '../rig/python.ts';
import { datasetOf, document } from '../rig/run-stage.ts';
import { because } from '../rig/skipped.ts';

const missing = missingModules('pyarrow');

describe.skipIf(missing !== undefined)(`pyarrow opens every shard${because(missing)}`, () => {
  const cases = [
    {
      contract: 'documents',
      rows: Array.from({ length: 300 }, (_, i) => document({ id: `t:${i}`, text: `我爱北京天安门 ${i}`.repeat(i) })),
      ask: `t['text'].to_pylist()[2]`,
      gives: '我爱北京天安门 2我爱北京天安门 2',
    },
    {
      contract: 'sequences',
      rows: Array.from({ length: 10_000 }, (_, i) => ({
        input_ids: Uint32Array.of(0, i, 2),
        word_starts: Uint16Array.of(1),
        doc_ids: Uint32Array.of(i),
      })),
      ask: `str(t['input_ids'].to_pylist()[9999])`,
      gives: '[0, 9999, 2]',
    },
  ];
  for (const { contract, rows, ask, gives } of cases) {
    it(contract, async () => {
      const dataset = await datasetOf(contract, rows);
      const program =
        `import pyarrow.ipc as ipc, sys\nt = ` +
        `ipc.open_file(sys.argv[1]).read_all()\nt.validate(full=True)\nprint(t.num_rows)\nprint(${ask})`;
      const [count, answer] = runPython(['-c', program, dataset.shards[0]!.location]).split('\n');
      expect([count, answer]).toEqual([String(rows.length), gives]);
    });
  }
});
