import { fail } from '../../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../../src/core/stage.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { WordCounter } from '../../../src/text/bpe/count-words.ts';
import { Tokenizer } from '../../../src/text/bpe/encode.ts';
import { writeTokenizer } from '../../../src/text/bpe/files.ts';
import { trainBpe } from '../../../src/text/bpe/train.ts';
import type { Config } from './config.ts';

/** Learns the byte-level BPE vocabulary of a corpus from its distinct words and their counts. */
export default defineStage<Config>({
  description: 'Learn the merges of byte-level BPE from word counts.',
  inputs: {
    word_counts: { contract: 'word-counts', description: 'the words of a corpus' },
  },
  outputs: {
    tokenizer: { contract: 'tokenizer', description: 'Hugging Face tokenizer folder' },
    metrics: { contract: 'metrics', description: 'words, distinct words and tokens', optional: true },
  },
  async run(context) {
    const { vocab_size: vocabSize, min_frequency: minFrequency } = context.config;
    const { counts } = await readWords(context);
    if (counts.size === 0)
      fail(
        'empty-corpus',
        'There is no text to train a tokenizer on.',
        'Check the counts of the stages before this one.',
      );

    const model = trainBpe(counts, {
      vocabSize,
      minFrequency,
      onProgress: (done, all) => context.progress(done, all, 'tokens', 'merging pairs'),
    });
    writeTokenizer(context.outputFolder('tokenizer').path, model);

    const tokenizer = new Tokenizer(model);
    let words = 0,
      bytes = 0,
      tokens = 0;
    for (const [word, count] of counts) {
      words += count;
      bytes += Buffer.byteLength(word) * count;
      tokens += tokenizer.encode(word).length * count;
    }
    context.metric('vocab_size', tokenizer.vocabSize);
    context.metric('bytes_per_token', bytes / tokens);
    const report = new CorpusReport(context);
    report.add('bytes', 'in', bytes);
    report.add('words', 'in', words);
    report.add('words', 'different', counts.size);
    report.add('tokens', 'out', tokens);
    await report.end();
    if (tokenizer.vocabSize < vocabSize)
      context.log(
        `The corpus yields ${tokenizer.vocabSize} tokens, fewer than vocab_size ${vocabSize}: no remaining ` +
          `pair occurs ${minFrequency} times.`,
      );
  },
});

async function readWords(context: StageContext<Config>): Promise<WordCounter> {
  const counts = context.dataset('word_counts');
  const words = new WordCounter();
  let done = 0;
  for await (const batch of counts.batches()) {
    const word = batch.getChild('word')!,
      count = batch.getChild('count')!;
    for (let row = 0; row < batch.numRows; row++) words.addWord(String(word.get(row)), Number(count.get(row)));
    context.progress((done += batch.numRows), counts.rowCount, 'words', 'adding up');
    context.signal.throwIfAborted();
  }
  return words;
}
