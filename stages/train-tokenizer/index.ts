import { fail } from '../../src/core/diagnostic.ts';
import { defineStage } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/data/corpus-report.ts';
import { WordCounter } from '../../src/text/bpe/count-words.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { jiebaSegmenter, unspannedPieces, type WordSegmentation } from '../../src/text/words.ts';

interface Config {
  readonly vocab_size: number;
  readonly min_frequency: number;
  readonly word_segmentation: WordSegmentation;
  readonly max_documents?: number;
  readonly sample_bytes?: number;
}

/** Learns the byte-level BPE vocabulary of a corpus. */
export default defineStage<Config>({
  description: 'Train a byte-level BPE tokenizer, as RoBERTa has, on documents.',
  inputs: { documents: { contract: 'documents', description: 'text to learn the vocabulary from', many: true } },
  outputs: {
    tokenizer: { contract: 'tokenizer', description: 'Hugging Face tokenizer folder' },
    metrics: { contract: 'metrics', description: 'documents and bytes of the corpus and of the sample learnt from, its lengths, languages, domains and tokens', optional: true },
  },
  async run(context) {
    const { vocab_size: vocabSize, min_frequency: minFrequency } = context.config;
    const datasets = context.datasets('documents');
    const total = datasets.reduce((sum, dataset) => sum + dataset.rowCount, 0);
    const share = sampledShare(context.config, total, datasets.reduce((sum, dataset) => sum + dataset.bytes, 0));

    const report = new CorpusReport(context);
    const words = new WordCounter();
    const piecesOf = await pieceSplitter(context.config.word_segmentation);
    let seen = 0;
    for (const dataset of datasets) {
      for await (const row of dataset.rows()) {
        const text = row.text as string;
        seen++;
        report.read(text);
        if (Math.floor(seen * share) === Math.floor((seen - 1) * share)) { // evenly spread over all corpora
          report.drop('not-sampled');
          continue;
        }
        for (const piece of piecesOf(text)) words.add(piece);
        report.keep(row);
        context.count('documents.used');
        context.progress(seen, total, 'documents', 'counting words');
      }
    }
    if (words.counts.size === 0) fail('empty-corpus', 'There is no text to train a tokenizer on.', 'Check the counts of the stages before this one.');

    const model = trainBpe(words.counts, { vocabSize, minFrequency, onProgress: (done, all) => context.progress(done, all, 'tokens', 'merging pairs') });
    writeTokenizer(context.folder('tokenizer').path, model);

    const tokenizer = new Tokenizer(model);
    let tokens = 0;
    for (const [word, count] of words.counts) tokens += tokenizer.encode(word).length * count;
    context.metric('vocab_size', tokenizer.vocabSize);
    context.metric('bytes_per_token', words.bytes / tokens);
    report.add('tokens', 'out', tokens);
    await report.end();
    if (tokenizer.vocabSize < vocabSize)
      context.log(`The corpus yields ${tokenizer.vocabSize} tokens, fewer than vocab_size ${vocabSize}: no pair is left that occurs ${minFrequency} times.`);
  },
});

/** Cuts a text where no merge may cross; byte-level BPE itself keeps a Chinese clause in one piece. */
async function pieceSplitter(segmentation: WordSegmentation): Promise<(text: string) => Iterable<string>> {
  if (segmentation === 'whitespace') return (text) => [text];
  const segment = await jiebaSegmenter();
  return (text) => unspannedPieces(text, segmentation, segment);
}

/** Share of the documents that the limits allow. */
function sampledShare({ max_documents: maxDocuments, sample_bytes: sampleBytes }: Config, documents: number, bytes: number): number {
  return Math.min(1, maxDocuments === undefined ? 1 : maxDocuments / documents, sampleBytes === undefined ? 1 : sampleBytes / bytes);
}
