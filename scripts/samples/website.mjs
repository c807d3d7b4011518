import { compose, fill, plain } from './language.mjs';
import { stream } from './random.mjs';
import { slots } from './section.mjs';
import { opinions } from './sentiment.mjs';

const say = (r, thing, sentences) => sentences.map((alternatives) => plain(fill(r.pick(alternatives), thing)));
const facts = (r, thing, count) =>
  r
    .some(
      compose(thing, 'web').flatMap((part) => part.sentences),
      count,
    )
    .map(plain);
const upper = (text) => text[0].toUpperCase() + text.slice(1);

const story = slots(`
  On {month} {few} a small crowd met in {town} to hear what would become of the old workshop. / People in {town} had much to talk about this week. / There was good news from {town} on Monday morning.
  The council wants to mend the road to {town2} before {season}, and the work will cost more than was planned. / A new school for {trade} will open in {season}, said the mayor, and {many} children have already asked for a place.
  “We have waited {few} years for this,” said {someone}, who has been a {worker} all his life. / “Nobody asked us,” said {someone}, a {worker} who has lived beside the {river} since he was a child.
  Others are less sure, because the {river} has flooded the meadows twice since last {season}. / Not everybody agrees, and some would rather spend the money on the {festival}.
  The next meeting will be held in the hall near the {building}. / Anyone who wishes to help can write to the council before the end of {month2}.
`);
const diary = slots(`
  We left {town} early, while the mist still lay over the {river}. / This {season} I finally walked from {town} to {town2}, and my feet still hurt.
  After {few} hours we saw {hill} and sat down to eat bread, {food} and {food2}. / The path to {hill} is easy to find, but bring water and a good hat.
  Along the way the {plant} was in flower, and a {animal} crossed the path in front of us. / My daughter counted {many} flowers of the {plant}, and I counted the clouds.
  In the evening a {worker} let us sleep in a barn and told us about {someone}. / At the inn in {town2} an old {worker} played the fiddle until midnight.
  Next year I want to see {lake} when it is frozen. / If you go, do not miss {lake} in the last light of the day.
`);
const advice = slots(`
  Many readers have asked me how to grow the {plant} in a small garden. / Every {season} someone writes to me about the {plant}, so here is all I know.
  Sow the seeds in {month}, not deeper than a finger, and keep the soil wet. / It wants light in the morning and shade in the afternoon, as on {habitat}.
  I once planted it beside the {plant2}, and both did well for {few} years. / Do not put it next to the {plant2}, because one of them will always win.
  The {animal} will come to eat the young leaves, so cover them with straw. / If the {animal} visits you, be glad and share a little.
  When the {colour} flowers are gone, cut the stems and dry them for tea. / Save some seeds for a friend, and tell me in {month2} how it went.
`);

const kinds = [
  (r, thing) => ({
    title: `News from ${thing.town}`,
    paragraphs: [...say(r, thing, story), ...group(facts(r, thing, 8), 3)],
  }),
  (r, thing) => ({
    title: `A walk from ${thing.town} to ${thing.town2}`,
    paragraphs: [...group(say(r, thing, diary), 2), ...group(facts(r, thing, 7), 3)],
  }),
  (r, thing) => ({
    title: `Growing the ${thing.plant}`,
    paragraphs: [...group(say(r, thing, advice), 2), ...group(facts(r, thing, 8), 3)],
  }),
  (r, thing) => ({
    title: `What guests say about ${thing.town}`,
    paragraphs: [
      ...group(
        opinions(`guests ${thing.name}`, 18).map((row) => row.sentence),
        3,
      ),
    ],
  }),
  (r, thing) => ({ title: `All about ${upper(thing.name)}`, paragraphs: group(facts(r, thing, 18), 3) }),
];

function group(sentences, size) {
  const out = [];
  for (let i = 0; i < sentences.length; i += size) out.push(sentences.slice(i, i + size).join(' '));
  return out;
}

/** The text of a web page about a thing of the world: `{ title, paragraphs }`. */
export function webText(thing, edition) {
  const r = stream('web', edition, thing.name);
  return r.pick(kinds)(r, thing);
}
