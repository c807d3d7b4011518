import { world } from './world.mjs';
import { prose } from './prose.mjs';
import { stream } from './random.mjs';
import { surroundings } from './surroundings.mjs';

const byName = new Map(world.map((thing) => [thing.name, thing]));
const units = {
  km: ['km', 'mi', 'kilometres'],
  km2: ['km', 'mi', 'kilometres'],
  m: ['m', 'ft', 'metres'],
  m2: ['m', 'ft', 'metres'],
  cm: ['cm', 'in', 'centimetres'],
  kg: ['kg', 'lb', 'kilograms'],
};

/** `[[River Arrel]]`, `[[Moss saffron|moss saffron]]`, or the bare name of something without an article. */
function link(name) {
  const thing = byName.get(name);
  if (thing === undefined) return String(name);
  return thing.kind === 'river' || thing.title === name ? `[[${thing.title}]]` : `[[${thing.title}|${name}]]`;
}

const measure = (thing, key) => `{{convert|${thing[key]}|${units[key][0]}|${units[key][1]}}}`;

/** Put a thing's own words into a sentence; a slot that names nothing is a mistake in the prose. */
export function fill(sentence, thing) {
  return sentence
    .replace(/\{([*~]?)([A-Za-z0-9]+)((?:\.[a-z0-9]+)*)\}/g, (slot, mark, key, path) => {
      if (mark === '~') return measure(thing, key);
      const lower = key[0].toLowerCase() + key.slice(1);
      let value = thing[lower];
      for (const word of path.split('.').slice(1)) value = byName.get(value)?.[word];
      if (value === undefined) throw new Error(`${thing.title}: nothing for ${slot} in “${sentence}”`);
      if (mark === '*') return link(value);
      return lower === key ? String(value) : String(value)[0].toUpperCase() + String(value).slice(1);
    })
    .replace(/(^|[^a-z])(a) (\[\[)?([aeiouAEIOU])/g, '$1an $3$4');
}

/** The sections of a thing's article: heading and sentences in wikitext. */
export function compose(thing, edition = '') {
  const r = stream('article', edition, thing.kind, thing.name);
  const say = (alternatives) => capital(fill(r.pick(alternatives), thing));
  const sections = prose[thing.kind].map(({ heading, slots }) => ({ heading, sentences: slots.map(say) }));
  return [...sections, { heading: 'Surroundings', sentences: r.some(surroundings, 7).map(say) }];
}

const capital = (text) => text.replace(/^((?:'''|\[\[)*)([a-z])/, (_, marks, letter) => marks + letter.toUpperCase());

/** Wikitext of a sentence as plain words, for pages that are not a wiki's. */
export function plain(wikitext) {
  return wikitext
    .replace(
      /\{\{convert\|(\d+)\|(\w+)\|\w+\}\}/g,
      (_, n, unit) => `${n} ${{ km: 'kilometres', m: 'metres', cm: 'centimetres', kg: 'kilograms' }[unit]}`,
    )
    .replace(/\[\[(?:[^\]|]*\|)?([^\]]*)\]\]/g, '$1')
    .replace(/'''?/g, '');
}
export const thingNamed = (name) => byName.get(name);
