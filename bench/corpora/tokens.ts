// Speed of masking, MinHash, byte-level BPE, the quality rules and language detection beside fairseq's rule in numpy,
// datatrove, Hugging Face, tiktoken and ELD, in turns in one run.
// Usage: RUN_PIPELINE_PYTHON=… node bench/corpora/run.mjs [mask|dedup|encode|train|clean|language …]; what came out:
// bench/corpora/tokens.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { WordCounter } from '../../src/text/bpe/count-words.ts';
import { loadLanguageDetector, sampleText } from '../../src/text/language/detector.ts';
import { createMaskPlan, maskSequence } from '../../src/masking/masking.ts';
import { MinHasher } from '../../src/text/minhash/signature.ts';
import { c4Rules, keepC4Lines } from '../../src/text/filters/c4.ts';
import { fineWebRules } from '../../src/text/filters/fineweb.ts';
import { gopherQualityRules } from '../../src/text/filters/gopher-quality.ts';
import { gopherRepetitionRules } from '../../src/text/filters/gopher-repetition.ts';
import { Prose } from '../../src/text/filters/prose.ts';
import { maskSettings } from '../../test/rig/masked.ts';

const root = new URL('../', import.meta.url).pathname; // run.mjs puts the bundle into dist
const rounds = Number(process.env['ROUNDS'] ?? 3);
const trainMegabytes = Number(process.env['TRAIN_MB'] ?? 100);
const folder = mkdtempSync(join(tmpdir(), 'bench-tokens-'));
const documents = readFileSync(process.env['CORPUS'] ?? join(root, '../shared/data/text/wikitext-2-valid.txt'), 'utf8')
  .split(/\n(?= = [^=])/)
  .filter((text) => text.length > 200);
const megabytes = documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
writeFileSync(join(folder, 'documents.json'), JSON.stringify(documents));

/** A job: what we do of its unit in a second, and the same jobs of the peers, in peers.py or in this process. */
interface Job {
  readonly unit: string;
  readonly ours: () => number;
  readonly peers: readonly string[];
  readonly here?: Readonly<Record<string, () => Promise<number>>>;
}

/** Processor time, as the machine may have other work; that of the garbage collector's threads included. */
function seconds(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

const words = new WordCounter();
for (const text of documents) words.addText(text);
const model = trainBpe(words.counts, { vocabSize: 8000, minFrequency: 2 });
writeTokenizer(folder, model);
const hasher = new MinHasher();
const detect = await loadLanguageDetector();

const schema = JSON.parse(readFileSync(join(root, 'schemas/stages/clean.schema.json'), 'utf8')) as {
  properties: { filters: { properties: Record<string, { properties: Record<string, { default: unknown }> }> } };
};
const limits = Object.fromEntries(
  Object.entries(schema.properties.filters.properties).map(([group, { properties }]) => [
    group,
    Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, property.default])),
  ]),
) as Record<string, never>;

const jobs: Record<string, Job> = {
  mask: { unit: 'M tokens/s', peers: ['mask'], ours: maskRate },
  dedup: {
    unit: 'MB/s',
    peers: ['dedup'],
    ours: () =>
      megabytes /
      seconds(() => {
        for (const text of documents) hasher.sign(text);
      }),
  },
  encode: {
    unit: 'MB/s',
    peers: ['encode', 'tiktoken'],
    ours: () => {
      const tokenizer = new Tokenizer(model); // a new one: its cache of words is empty
      return (
        megabytes /
        seconds(() => {
          for (const text of documents) tokenizer.encode(text);
        })
      );
    },
  },
  train: {
    unit: 'MB/s',
    peers: ['train'],
    ours: () => {
      const times = Math.ceil(trainMegabytes / megabytes);
      return (
        (times * megabytes) /
        seconds(() => {
          const counter = new WordCounter();
          for (let time = 0; time < times; time++) for (const text of documents) counter.addText(text);
          trainBpe(counter.counts, { vocabSize: 30_000, minFrequency: 2 });
        })
      );
    },
  },
  clean: {
    unit: 'MB/s',
    peers: ['clean'],
    ours: () =>
      megabytes /
      seconds(() => {
        for (const text of documents) {
          const document = new Prose(text, 'en');
          for (const rule of gopherRepetitionRules) rule(document, limits['gopher_repetition']!);
          for (const rule of gopherQualityRules) rule(document, limits['gopher_quality']!);
          keepC4Lines(text, limits['c4']!);
          for (const rule of c4Rules) rule(document, limits['c4']!);
          for (const rule of fineWebRules) rule(document, limits['fineweb']!);
        }
      }),
  },
  language: {
    unit: 'documents/s',
    peers: [],
    here: { eld: eldRate },
    ours: () =>
      (20 * documents.length) /
      seconds(() => {
        for (let time = 0; time < 20; time++) for (const text of documents) detect(text);
      }),
  },
};

/**
 * ELD itself over the samples of a document that our detector takes, with the scores and the reliability that it asks
 * for.
 */
async function eldRate(): Promise<number> {
  const { eld } = await import('eld/large');
  const judge = (sample: string): unknown => {
    const result = eld.detect(sample);
    return [result.getScores(), result.isReliable()];
  };
  return (
    documents.length /
    seconds(() => {
      for (const text of documents) for (const sample of sampleText(text)) judge(sample);
    })
  );
}

/** Dynamic masking as pretraining does it: 4 million tokens in sequences of 512. */
function maskRate(): number {
  const sequences = Array.from({ length: 8000 }, (_, n) =>
    Uint32Array.from({ length: 512 }, (_v, i) => (i === 0 ? 0 : i === 511 ? 2 : 4 + ((n * 31 + i * i) % 7000))),
  );
  const plan = createMaskPlan(
    maskSettings(model.tokens.length, {
      epochs: 1,
      seed: 1,
      special_ids: model.specialIds,
      mask_id: model.special.mask,
    }),
  );
  return (8000 * 512) / 1e6 / seconds(() => sequences.forEach((ids, index) => maskSequence(plan, ids, [], 0, index)));
}

function peerRate(job: string): number | undefined {
  const { status, stdout, stderr } = spawnSync(
    process.env['RUN_PIPELINE_PYTHON'] ?? 'python3',
    [join(root, 'bench/corpora/peers.py'), job, folder, String(trainMegabytes)],
    {
      encoding: 'utf8',
      env: { ...process.env, RAYON_NUM_THREADS: '1', TOKENIZERS_PARALLELISM: 'false', OMP_NUM_THREADS: '1' },
    },
  );
  if (status === 0) return Number(stdout.trim().split('\n').at(-1));
  console.error(`${job}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  return undefined;
}

const wanted = process.argv.slice(2);
const shown = (rate: number): string => rate.toFixed(rate < 1 ? 2 : 1);
const best = (rates: readonly number[]): string =>
  rates.length === 0 ? '–' : `${shown(Math.max(...rates))} (${rates.map(shown).join(', ')})`;
console.log(`| job | unit, one core | run-pipeline | peers |\n| --- | --- | --- | --- |`);
for (const [name, { unit, ours, peers, here = {} }] of Object.entries(jobs)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const own: number[] = [],
    others = new Map([...peers, ...Object.keys(here)].map((peer): [string, number[]] => [peer, []]));
  if (name !== 'train') ours(); // compiled once
  for (let round = 0; round < (name === 'train' ? 1 : rounds); round++) {
    own.push(ours());
    for (const [peer, rates] of others) {
      const rate = await (here[peer]?.() ?? peerRate(peer));
      if (rate !== undefined) rates.push(rate);
    }
  }
  console.log(
    `| ${name} | ${unit} | ${best(own)} | ${[...others].map(([peer, rates]) => `${peer} ${best(rates)}`).join('; ')} |`,
  );
}
rmSync(folder, { recursive: true });
