/** In order, each with what is before it. */
export const stages = [
  'books: { uses: ingest-books, with: { path: text } }',
  'cleaned: { uses: clean, inputs: { documents: books }, with: { languages: [en] } }',
  'documents: { uses: deduplicate, inputs: { documents: cleaned }, with: { method: minhash } }',
  'window: { uses: refresh, inputs: { documents: documents } }',
  'tokenizer: { uses: train-tokenizer, inputs: { documents: window }, with: { vocab_size: 30000 } }',
  'tokens: { uses: tokenize, inputs: { documents: window, tokenizer: tokenizer }, with: { max_length: 512 } }',
  'masked: { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: importance,' +
    ' importance: surprisal } }',
]
  .filter((stage) => process.env.CLEAN !== '0' || !stage.startsWith('cleaned'))
  .map((stage) => (process.env.CLEAN === '0' ? stage.replaceAll('documents: cleaned', 'documents: books') : stage));
/** The steps of composite stages. */
export const steps = {
  documents: ['documents/signatures', 'documents/clusters', 'documents/kept'],
  tokenizer: ['tokenizer/words', 'tokenizer/bpe'],
  masked: ['masked/tokens', 'masked/plan'],
};

/** A pipeline of the first N stages. */
export const pipelineOf = (count) =>
  `name: scale\nseed: 1\nstages:\n${stages
    .slice(0, count)
    .map((line) => `  ${line}\n`)
    .join('')}`;
