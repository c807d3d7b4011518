// dist/language-model.bin: the large model of the npm package eld (Apache-2.0) as the arrays that text/language reads,
// instead of 4.5 MB of JavaScript that takes 400 MB and a second to load. dist/language-model.LICENSE goes with it.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = dirname(dirname(fileURLToPath(import.meta.resolve('eld/large'))));

/** @param dist folder of the compiled sources, where the model is written */
export async function writeLanguageModel(dist) {
  const load = (path) => import(pathToFileURL(path).href);
  const [{ encodeModel }, { hashOf, highOf, lowOf, NGramTable }, { dictionary }, { avgScore }] = await Promise.all([
    load(join(dist, 'src/text/language/model-file.js')),
    load(join(dist, 'src/text/language/ngram-table.js')),
    load(join(folder, 'dictionary.js')),
    load(join(folder, 'avgScore.js')),
  ]);
  const { languages, ngrams } = readNGrams(readFileSync(join(folder, 'ngrams/large.js'), 'utf8'));

  // At most half of the slots are used.
  const count = 2 ** Math.ceil(Math.log2(ngrams.length * 2));
  const slots = new Uint32Array(3 * count);
  const pairs = new Uint16Array(ngrams.reduce((sum, [, scores]) => sum + scores.length, 0));
  let used = 0;
  for (const [ngram, scores] of ngrams) {
    const symbols = Uint8Array.from(ngram, (symbol) => symbol.charCodeAt(0));
    const [low, high] = [lowOf, highOf].map((of) => of(symbols, 0, symbols.length));
    let slot = hashOf(low, high) & (count - 1);
    while (slots[slot * 3 + 1] !== 0) slot = (slot + 1) & (count - 1);
    slots.set([low, high | (scores.length << 16), used], slot * 3);
    for (const [language, score] of scores) pairs[used++] = (score << 8) | language;
  }

  writeFileSync(
    join(dist, 'language-model.bin'),
    encodeModel({
      languages,
      symbols: Uint8Array.from(dictionary, (symbol) => symbol.charCodeAt(0)),
      usualScores: Float64Array.from(languages, (language) => avgScore[language] ?? 0),
      table: new NGramTable(slots, pairs),
    }),
  );
  const { version, homepage } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'));
  writeFileSync(
    join(dist, 'language-model.LICENSE'),
    `language-model.bin holds the language model "large" of eld ${version} (${homepage}),\n` +
      'copyright 2023 Nito T.M., under the Apache License 2.0, which follows. It was changed: its n-grams, scores,\n' +
      'dictionary and average scores are the same, written as binary arrays instead of JavaScript.\n\n' +
      readFileSync(join(folder, '../LICENSE'), 'utf8'),
  );
}

/**
 * The languages, and the n-grams with their `[language, score]` pairs, in an object literal of JavaScript:
 * `'n-gram':{language:score,…},…`, where keys are quoted if necessary. Throws if the format differs from eld 2.1.0.
 */
function readNGrams(file) {
  const head = /ngramsData = \{type:'L60',languages:\{([^}]*)\},isSubset:false,ngrams:\{/.exec(file);
  const languages = (head?.[1] ?? '').split(',').map((entry, id) => new RegExp(`^${id}:'(\\w\\w)'$`).exec(entry)?.[1]);
  const entry = /(?:'((?:[^'\\]|\\.)+)'|"((?:[^"\\]|\\.)+)"|([^'",:{}\\]+)):\{([\d:,]+)\}([,}])/y;
  entry.lastIndex = head === null ? file.length : head.index + head[0].length;
  const ngrams = [];
  for (let next = ','; next === ',';) {
    const match = entry.exec(file);
    if (match === null || languages.includes(undefined))
      throw new Error(`the format of eld's model differs from version 2.1.0 (after ${ngrams.length} n-grams)`);
    const [, single, double, plain, scores, mark] = match;
    next = mark;
    ngrams.push([
      plain ?? (single ?? double).replace(/\\(.)/g, '$1'),
      scores.split(',').map((pair) => pair.split(':').map(Number)),
    ]);
  }
  return { languages, ngrams };
}
