import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../src/core/data.ts';
import { draw32, key32 } from '../../src/ops/random.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { pretokenize } from '../../src/text/bpe/pretokenize.ts';
import type { MaskSettings } from '../../src/masking/masking.ts';
import { maskSettings, withPlan } from '../rig/masked.ts';
import { datasetOf, folderOf, type TestArtifact } from '../rig/run-stage.ts';

const subjects = ['The old sailor', 'A young painter', 'My neighbour', 'The tall captain', 'Her sister'];
const verbs = ['found', 'painted', 'sold', 'carried', 'lost'];
const objects = ['a red boat', 'two green lamps', 'the broken clock', 'seven silver coins', 'a letter'];
const places = ['near the harbour', 'on the hill', 'behind the market', 'at midnight', 'in the garden'];

/** A small regular language, so that a small model learns it fast. */
export function sentence(index: number): string {
  const pick = (list: readonly string[], slot: number): string =>
    list[draw32(key32('text', slot), index) % list.length] as string;
  return `${pick(subjects, 0)} ${pick(verbs, 1)} ${pick(objects, 2)} ${pick(places, 3)}.`;
}

/** Tokenizer, mask plan and packed sequences over that language, as the stages before pretraining leave them. */
export async function pretrainingInputs(
  sequenceCount: number,
  length: number,
): Promise<{
  tokenizer: TestArtifact;
  sequences: TestArtifact;
  masked: TestArtifact;
  vocabSize: number;
  settings: MaskSettings;
}> {
  const words = new Map<string, number>();
  for (let i = 0; i < 400; i++)
    for (const word of pretokenize(` ${sentence(i)}`)) words.set(word, (words.get(word) ?? 0) + 1);
  const model = trainBpe(words, { vocabSize: 384, minFrequency: 2 });
  const tokenizerFolder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  writeTokenizer(tokenizerFolder, model);
  const tokenizer = new Tokenizer(model);
  const rows: Row[] = Array.from({ length: sequenceCount }, (_, row) => {
    const ids: number[] = [0];
    for (let i = 0; ids.length < length - 1; i++) ids.push(...tokenizer.encode(` ${sentence(row * 50 + i)}`));
    const input_ids = Uint32Array.from([...ids.slice(0, length - 1), 2]);
    return {
      input_ids,
      word_starts: Uint16Array.from({ length: length - 2 }, (_, i) => i + 1),
      doc_ids: Uint32Array.from([row]),
    };
  });
  const size = model.tokens.length;
  const settings = maskSettings(size, { special_ids: [...model.specialIds], mask_id: model.special.mask });
  const masked = await datasetOf(
    'masked',
    rows.map(({ doc_ids: _, ...row }) => row as Row),
  );
  return {
    tokenizer: folderOf('tokenizer', tokenizerFolder),
    vocabSize: size,
    settings,
    sequences: await datasetOf('sequences', rows),
    masked: withPlan(masked, settings),
  };
}
