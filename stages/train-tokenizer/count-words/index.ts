import { defineStage } from '../../../src/core/stage.ts';
import { documentsOf } from '../../../src/corpus/documents-of.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { WordCounter } from '../../../src/text/bpe/count-words.ts';
import { jiebaSegmenter, unspannedPieces, type WordSegmentation } from '../../../src/text/segmentation/words.ts';
import type { Config } from './config.ts';

/**
 * The part of tokenizer training that reads texts. It runs per shard, so it uses all cores and reads each shard once.
 */
export default defineStage<Config>({
  description: 'Count the words of documents, or of an evenly spread sample of them.',
  inputs: { documents: { contract: 'documents', description: 'text to learn the vocabulary from', many: true } },
  outputs: {
    word_counts: { contract: 'word-counts', description: 'the distinct words of each shard', optional: true },
    metrics: {
      contract: 'metrics',
      description: 'documents and bytes of the corpus and of the sample; lengths, languages and domains of the sample',
      optional: true,
    },
  },
  map: 'documents',
  async run(context) {
    const report = new CorpusReport(context);
    const out = context.writer('word_counts');
    const piecesOf = await pieceSplitter(context.config.word_segmentation);
    const { sample } = context.config;
    const words = new WordCounter();
    for await (const { document, number } of documentsOf(context, report)) {
      // Evenly spread, the first one among them.
      if (Math.ceil((number + 1) * sample) === Math.ceil(number * sample)) report.drop('not-sampled');
      else {
        for (const piece of piecesOf(document.text)) words.addText(piece);
        report.keep(document);
      }
    }
    for (const [word, count] of words.counts) await out.add({ word, count });
    await report.end();
  },
});

/** Cuts a text where no merge may cross. Byte-level BPE by itself keeps a Chinese clause in one piece. */
async function pieceSplitter(segmentation: WordSegmentation): Promise<(text: string) => Iterable<string>> {
  if (segmentation === 'whitespace') return (text) => [text];
  const segment = await jiebaSegmenter();
  return (text) => unspannedPieces(text, segmentation, segment);
}
