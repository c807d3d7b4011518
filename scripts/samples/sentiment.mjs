import { stream } from './random.mjs';
import { world } from './world.mjs';

const words = (text) => text.trim().split(/\s*,\s*/);
const names = (kind) => world.filter((thing) => thing.kind === kind).map((thing) => thing.name);

/** What opinions are about, with the adjectives that suit it: good ones, bad ones. */
const subjects = [
  {
    of: ['soup', 'bread', 'stew', 'cheese', ...names('dish')],
    at: ['at the inn', 'in {town}', 'at the market'],
    good: words('delicious, fresh, warm, tasty, wonderful, perfect, lovely'),
    bad: words('cold, stale, burnt, tasteless, awful, sour, terrible'),
  },
  {
    of: ['room', 'inn', 'bed', 'house by the river'],
    at: ['in {town}', 'near {lake}', 'below {hill}'],
    good: words('clean, cosy, bright, quiet, comfortable, lovely, wonderful'),
    bad: words('dirty, damp, dark, noisy, cramped, dreadful, awful'),
  },
  {
    of: ['ferry', 'boat', 'cart', 'guide'],
    at: ['to {town}', 'on the {river}', 'across {lake}'],
    good: words('quick, friendly, safe, pleasant, reliable, excellent, gentle'),
    bad: words('slow, rude, late, unpleasant, dangerous, terrible, careless'),
  },
  {
    of: ['music', 'dance', 'play', 'speech', ...names('festival')],
    at: ['in {town}', 'this year', 'by the {river}'],
    good: words('cheerful, charming, beautiful, moving, splendid, delightful, excellent'),
    bad: words('boring, dull, endless, tiresome, dreadful, awkward, disappointing'),
  },
  {
    of: ['book', 'map', 'basket', 'clock', 'lace', 'pot'],
    at: ['from {town}', 'by {person}', 'in the shop'],
    good: words('beautiful, useful, honest, clever, excellent, splendid, charming'),
    bad: words('ugly, useless, broken, clumsy, poor, disappointing, dull'),
  },
  {
    of: ['walk', 'path', 'view', 'garden', 'meadow'],
    at: ['to {hill}', 'round {lake}', 'along the {river}'],
    good: words('lovely, peaceful, beautiful, splendid, pleasant, delightful, bright'),
    bad: words('muddy, dangerous, ugly, dull, unpleasant, tiresome, dreadful'),
  },
];

const praise = words(
  'we loved every minute, I will come back soon, everyone smiled, we recommend it to all, it made us happy, I ' +
    'thank the kind people',
);
const blame = words(
  'we regret every minute, I will never come back, everyone complained, we warn all travellers, it made us sad, ' +
    'I want my money back',
);
const degrees = ['very', 'really', 'truly', 'quite', 'so', 'rather'];

/** Frames of a sentence: what it says, and whether the opinion of the whole is good (1) or bad (0). */
const frames = [
  { share: 5, make: (s, good) => `The ${s.noun} ${s.place} was ${s.degree} ${s.word(good)}.` },
  { share: 4, make: (s, good) => `The ${s.noun} ${s.place} was ${s.word(good)} and ${s.word(good)}.` },
  { share: 4, make: (s, good) => `The ${s.noun} ${s.place} was ${s.word(good)}, and ${s.verdict(good)}.` },
  { share: 3, make: (s, good) => `What a ${s.word(good)} ${s.noun}, and ${s.verdict(good)}!` },
  { share: 3, make: (s, good) => `I found the ${s.noun} ${s.place} ${s.degree} ${s.word(good)}.` },
  { share: 3, make: (s, good) => `The ${s.noun} ${s.place} was not ${s.word(!good)} at all, and ${s.verdict(good)}.` },
  { share: 2, make: (s, good) => `The ${s.noun} ${s.place} was never ${s.word(!good)}.` },
  {
    share: 3,
    make: (s, good) =>
      `The ${s.noun} was ${s.word(!good)}, but the ${s.noun2} was ${s.degree} ${s.word2(good)}, and ` +
      `${s.verdict(good)}.`,
  },
  { share: 2, make: (s, good) => `Although the ${s.noun} was ${s.word(!good)}, ${s.verdict(good)}.` },
];
const drawn = frames.flatMap((frame) => Array.from({ length: frame.share }, () => frame));

function sentence(r, good) {
  const subject = r.pick(subjects);
  const second = r.pick(subjects);
  const places = {
    town: r.pick(names('town')),
    river: r.pick(names('river')),
    hill: r.pick(names('hill')),
    lake: r.pick(names('lake')),
    person: r.pick(names('person')),
  };
  const used = new Set();
  const fresh = (list) => {
    const word = r.pick(list.filter((candidate) => !used.has(candidate)));
    used.add(word);
    return word;
  };
  const text = r.pick(drawn).make(
    {
      noun: r.pick(subject.of),
      noun2: r.pick(second.of),
      degree: r.pick(degrees),
      place: r.pick(subject.at).replace(/\{(\w+)\}/, (_, key) => places[key]),
      word: (kind) => fresh(kind ? subject.good : subject.bad),
      word2: (kind) => fresh(kind ? second.good : second.bad),
      verdict: (kind) => r.pick(kind ? praise : blame),
    },
    good,
  );
  return text.replace(/\b([Aa]) (?=[aeiou])(?!useful)/g, '$1n ');
}

/** `count` different sentences, half of them good. */
export function opinions(key, count, seen = new Set()) {
  const r = stream('opinions', key);
  const rows = [];
  while (rows.length < count) {
    const label = rows.length % 2;
    const text = sentence(r, label === 1);
    if (!seen.has(text)) rows.push({ sentence: text, label });
    seen.add(text);
  }
  return r.some(rows, count);
}

export const tsv = (rows) => `sentence\tlabel\n${rows.map((row) => `${row.sentence}\t${row.label}\n`).join('')}`;

/** Training and held-out rows; no sentence is in both. */
export function sentiment() {
  const seen = new Set();
  return {
    'tasks/sentiment-train.tsv': tsv(opinions('train', 1200, seen)),
    'tasks/sentiment-dev.tsv': tsv(opinions('dev', 300, seen)),
  };
}
