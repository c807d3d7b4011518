import { compose, thingNamed } from './language.mjs';
import { stream } from './random.mjs';
import { people, world } from './world.mjs';

/** The wikitext of a thing's article, with the markup that real dumps have: templates, tables, refs, files, lists. */
export function article(thing, edits = []) {
  const r = stream('markup', thing.kind, thing.name);
  const sections = compose(thing).map(({ heading, sentences }, i) => {
    const text = paragraphs(
      r,
      sentences.map((sentence) => sentence + (r.chance(0.16) ? reference(r, thing) : '')),
    );
    const extra = i === 1 ? (extras[thing.kind]?.(r, thing) ?? '') : '';
    return (heading === '' ? '' : `\n== ${heading} ==\n`) + text + extra;
  });
  for (const month of edits) sections[0] += `\n${update(stream('update', month, thing.name), thing, month)}\n`;
  return [
    r.chance(0.2) ? '{{Short description|Article about the Vale of Mosse}}\n' : '',
    infobox(thing),
    r.chance(0.5) ? picture(r, thing) : '',
    sections.join('\n'),
    back(r, thing),
  ].join('');
}

function paragraphs(r, sentences) {
  const out = [];
  for (let i = 0; i < sentences.length;) {
    const size = sentences.length - i <= 4 ? sentences.length - i : r.between(2, 3);
    out.push(sentences.slice(i, i + size).join(' '));
    i += size;
  }
  return `${out.join('\n\n')}\n`;
}

function reference(r, thing) {
  const author = r.pick(people);
  const name = author.split(' ')[1].toLowerCase();
  return r.pick([
    () =>
      `<ref>{{cite book |last=${author.split(' ')[1]} |first=${author.split(' ')[0]} |title=Walks in the Vale of ` +
      `Mosse |year=${thing.year3} |page=${r.between(3, 210)}}}</ref>`,
    () =>
      `<ref name="${name}">{{cite web |url=https://mosse.example/${name} |title=Notes on ${thing.title} ` +
      `|access-date=2026-0${r.between(1, 9)}-1${r.between(0, 9)}}}</ref>`,
    () => `<ref name="${name}" />`,
    () => `{{citation needed|date=${thing.month} 2026}}`,
    () => `<!-- check this with ${author} -->`,
    () => `{{sfn|${author.split(' ')[1]}|${thing.year3}|p=${r.between(3, 210)}}}`,
  ])();
}

function infobox(thing) {
  const rows = {
    town: [
      ['county', thing.county],
      ['population', thing.people],
      ['river', `[[River ${thing.river}]]`],
      ['founded', `{{start date|${thing.year}}}`],
    ],
    river: [
      ['length', `{{convert|${thing.km2}|km|mi}}`],
      ['source', `[[${thing.hill}]]`],
      ['mouth', `[[River ${thing.river}]]`],
    ],
    person: [
      ['birth_date', `{{birth year|${thing.born}}}`],
      ['death_date', thing.died],
      ['birth_place', `[[${thing.town}]]`],
      ['occupation', thing.worker],
    ],
    building: [
      ['type', thing.type],
      ['place', `[[${thing.place}]]`],
      ['height', `{{convert|${thing.m}|m|ft}}`],
      ['opened', `${thing.year2}<br />{{small|(first stone ${thing.year})}}`],
    ],
    hill: [
      ['elevation_m', thing.m2],
      ['county', thing.county],
    ],
  }[thing.kind] ?? [
    ['county', thing.county],
    ['season', `{{nowrap|${thing.season}}}`],
  ];
  return (
    `{{Infobox ${thing.kind}\n| name = ` +
    `${thing.title}\n${rows.map(([key, value]) => `| ${key} = ${value}\n`).join('')}}}\n`
  );
}

const picture = (r, thing) =>
  `[[File:${thing.title}.jpg|thumb|${r.pick(['left', 'right', 'upright=1.2'])}|${thing.title} seen from ` +
  `[[${thing.town}]] in ${thing.month}, with [[${thing.hill}|the hill]] behind]]\n`;

/** Tables, lists and mathematics, where such articles have them. */
const extras = {
  town: (r, thing) =>
    `\n{| class="wikitable sortable"\n|+ Population of ${thing.title}\n! Year !! People\n|-\n| ${thing.year2} || ` +
    `${thing.people - 400}\n|-\n| ${thing.year3} || style="text-align:right" | ${thing.people - 200}\n|}\n`,
  river: (r, thing) =>
    `\n<math>Q = v \\cdot A</math> gives the flow, where <math>v</math> is the speed of the water and ` +
    `<math>A</math> the area; at [[${thing.town}]] it is about 10<sup>${r.between(2, 4)}</sup>&nbsp;litres per ` +
    `second.\n`,
  dish: (r, thing) =>
    `\nFor ${thing.few} people one needs:\n* ${thing.food} – half a kilogram, washed and cut into small ` +
    `pieces\n* ${thing.food2} – as much as two hands can hold\n* ''${thing.food3}'' – a little, added at the ` +
    `end\n`,
  festival: (r, thing) =>
    `\n; Bells: rung at six in the morning by the youngest ${thing.worker}\n; Table: set at noon in front of the ` +
    `[[${thing.building}]]\n; Dance: begins when the lamps are lit\n`,
  trade: (r, thing) =>
    `\nThe work has three steps:\n# the material is washed and dried\n# the ${thing.worker} shapes it with ` +
    `${thing.tool}\n# the piece is marked and carried to the market\n`,
  plant: (r, thing) =>
    `\nIts old name is {{lang|la|Mossea ${thing.colour.replaceAll(' ', '')}a}}, and in the dialect of ` +
    `{{lang-de|${thing.town}}} it is called “little ${thing.habitat.split(' ')[1]} flower”.\n`,
  lake: (r, thing) =>
    `\n<gallery>\nFile:${thing.title} north.jpg|The northern shore\nFile:${thing.title} ice.jpg|Ice in ` +
    `January\n</gallery>\n`,
};

/** What an editor added in a month. */
const update = (r, thing, month) =>
  r.pick([
    `In ${month} 2026 the council of [[${thing.town}]] decided to print a new book about it.`,
    `A new path from [[${thing.town2}]] was opened in ${month} 2026 by the mayor and ${thing.many} children.`,
    `In the last weeks of ${month} 2026 heavy rain damaged the road to [[${thing.town3}]], but nobody was hurt.`,
  ]);

function back(r, thing) {
  const same = r
    .some(
      world.filter((other) => other.kind === thing.kind && other !== thing),
      3,
    )
    .map((other) => `* [[${other.title}]]\n`)
    .join('');
  const town = thingNamed(thing.town);
  return (
    `\n== See also ==\n${same}\n== References ==\n{{Reflist}}\n\n== External links ==\n* ` +
    `[https://mosse.example/${encodeURIComponent(thing.name)} ${thing.title} in the Mosse Atlas]\n\n{{Vale of ` +
    `Mosse}}\n[[Category:${thing.kind[0].toUpperCase()}${thing.kind.slice(1)}s of the Vale of ` +
    `Mosse]]\n[[Category:${town.county}]]${r.chance(0.3) ? `\n[[de:${thing.title}]]` : ''}`
  );
}
