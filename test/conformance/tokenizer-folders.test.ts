import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { readTokenizer } from '../../src/text/bpe/read-folder.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { readable, texts, tokenizerFolder, withSpecials } from '../rig/tokenizer-folders.ts';

interface Answer {
  readonly size: number;
  readonly ids: readonly (readonly number[])[];
  readonly specials: readonly (readonly number[])[];
  readonly single: readonly number[];
  readonly pair: readonly number[];
}

const missing = missingModules('transformers');
const script = new URL('tokenizer_folders.py', import.meta.url).pathname;

describe.skipIf(missing !== undefined)(`folders in AutoTokenizer${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let given: (Answer | { readonly error: string })[];
  let written: Answer[];
  beforeAll(() => {
    const folders = readable.map(({ change }) => tokenizerFolder(change));
    const copies = folders.map((folder) => {
      const copy = mkdtempSync(join(tmpdir(), 'tokenizer-'));
      writeTokenizer(copy, readTokenizer(folder).model);
      return copy;
    });
    const answers = JSON.parse(
      runPython([script], { folders: [...folders, ...copies], texts, specials: withSpecials }),
    ) as (Answer | { readonly error: string })[];
    given = answers.slice(0, folders.length);
    written = answers.slice(folders.length) as Answer[];
  }, 300_000);

  it('give the ids that were recorded of them (vitest -u records them again)', async () => {
    const rows = readable.flatMap(({ name }, i): [string, Record<string, string>][] => {
      const answer = given[i]!;
      return 'error' in answer ? [] : [[name, spelled(answer)]];
    });
    await expect(`${JSON.stringify(Object.fromEntries(rows), undefined, 2)}\n`).toMatchFileSnapshot(
      '../text/bpe/hub-folders.json',
    );
  });

  it('cannot be loaded where only this project reads them, and can be elsewhere', () => {
    for (const [i, { name, onlyHere }] of readable.entries())
      expect('error' in given[i]!, name).toBe(onlyHere === true);
  });

  it.each(readable.map((each, i) => ({ ...each, i })))(
    'are the same when they were read and written here: $name',
    ({ i, note, onlyHere, masksAsBefore }) => {
      const [{ specials, single, pair, ...before }, { specials: ours, single: one, pair: two, ...after }] = [
        given[onlyHere ? 0 : i] as Answer,
        written[i]!,
      ];
      expect(after).toEqual(before);
      if (!masksAsBefore) expect(ours).toEqual(specials);
      if (note === undefined || onlyHere) expect([one, two]).toEqual([single, pair]);
    },
  );
});

function spelled({ size, ids, specials, single, pair }: Answer): Record<string, string> {
  const rows = (name: string, lists: Answer['ids']): [string, string][] =>
    lists.map((list, i) => [`${name} ${i}`, list.join(' ')]);
  return {
    size: String(size),
    ...Object.fromEntries([...rows('text', ids), ...rows('special', specials)]),
    single: single.join(' '),
    pair: pair.join(' '),
  };
}
