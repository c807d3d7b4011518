import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import importTokenizer from '../../stages/import-tokenizer/index.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { readTokenizer } from '../../src/text/bpe/read-folder.ts';
import { runStage } from '../rig/run-stage.ts';
import { readable, texts, tokenizerFolder } from '../rig/tokenizer-folders.ts';

async function run(folder: string, names: readonly string[] = readdirSync(folder)) {
  const { outputs, messages, metrics } = await runStage(importTokenizer, {
    type: 'import-tokenizer',
    config: { path: folder },
    sources: { path: names.map((name) => join(folder, name)) },
  });
  return {
    folder: outputs.tokenizer!.folder,
    logs: messages.flatMap((message) => (message.type === 'log' ? [message.text] : [])),
    metrics,
  };
}

describe('import-tokenizer', () => {
  test.each(readable)('brings in a folder with $name', async ({ change, note }) => {
    const folder = tokenizerFolder(change);
    const { model } = readTokenizer(folder);
    const imported = await run(folder);
    expect(loadTokenizer(imported.folder)).toEqual(model);
    expect(imported.metrics).toEqual({ vocab_size: model.tokens.length });
    expect(imported.logs).toEqual(note === undefined ? [] : [expect.stringMatching(note)]);
    const [before, after] = [folder, imported.folder].map((each) => new Tokenizer(loadTokenizer(each)));
    for (const text of texts) expect(after!.encode(text)).toEqual(before!.encode(text));
  });

  test('leaves no file that cannot be read behind', async () => {
    const broken = tokenizerFolder((files) => {
      files.text = '{"model":';
    });
    const { folder } = await run(broken);
    expect(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'))).toHaveProperty('model.type', 'BPE');
  });

  test('refuses a path that leaves out a file that it would read', async () => {
    const folder = tokenizerFolder(() => {});
    await expect(run(folder, ['tokenizer.json'])).rejects.toMatchObject({
      diagnostic: {
        code: 'incomplete-source',
        message: expect.stringContaining(
          'does not match config.json, merges.txt, special_tokens_map.json, tokenizer_config.json, vocab.json.',
        ),
        help: `Point to the folder, ${folder}.`,
      },
    });
  });

  test('refuses a folder without a tokenizer', async () => {
    const folder = tokenizerFolder((files) => {
      files.hasJson = false;
      files.vocab = undefined;
    });
    await expect(run(folder)).rejects.toMatchObject({ diagnostic: { code: 'unsupported-tokenizer' } });
  });
});
