import { stream } from './random.mjs';

/** The fictional Vale of Mosse: every name, year and distance in the samples, with each thing linked to others. */
const split = (text) => text.trim().split(/\s*,\s*/);

export const counties = ['Upper Mosse', 'Lower Mosse', 'Fenland', 'Highdown'];
export const months = split(
  'January, February, March, April, May, June, July, August, September, October, November, December',
);
const seasons = ['spring', 'summer', 'autumn', 'winter'];
const materials = ['grey limestone', 'red brick', 'dark oak', 'white flint', 'yellow sandstone', 'blue slate'];
const fish = ['trout', 'perch', 'eel', 'grayling', 'bream', 'pike'];
const colours = ['white', 'yellow', 'pale blue', 'deep red', 'violet', 'pink'];
const habitats = [
  'wet meadows',
  'old hedges',
  'river banks',
  'dry slopes',
  'oak woods',
  'stony fields',
  'reed beds',
  'village walls',
];

const riverNames = split(
  'Mosse, Arrel, Brindle, Carrow, Dunnet, Esker, Fallow, Garn, Hethe, Isk, Lorne, Marl, Nevin, Orrin, Pell, Quenby',
);
const hillNames =
  split(`Arrel Beacon, Blackstone Edge, Candle Hill, Deer Tor, Eagle Crag, Fiddler's Seat, Grey Mare, Harrow Down,
  Kettle Ridge, Long Barrow, Maiden Top, Northing Fell, Old Man of Isk, Ravens Rigg`);
const lakeNames = split(
  'Amber Water, Bell Mere, Cold Tarn, Drover Pool, Eel Broad, Heron Mere, Lantern Lake, Mirror Tarn, Salt Mere, ' +
    'Swan Broad',
);
const townNames =
  split(`Aldmere, Arrelford, Brackholt, Brindle Cross, Carrowick, Coldharbour, Dunhaven, Dunnet Bridge, Elmsgate, Eskerdale,
  Fallowfield, Fennick, Garrowby, Garnmouth, Hethe Market, Hollin Ferry, Iskerton, Jarrow Hythe, Kestrel Hythe, Kingsloe,
  Lornewell, Lowmarsh, Marlow Staithe, Marrowby, Mossehead, Mossemouth, Netherpool, Nevinstow, Orrinford, Oxley Green,
  Pellwick, Pennyfold, Quenby, Rushmere, Saltby, Sedgeley, Tarnwick, Thornaby Wold, Underbarrow, Wexcombe`);
const plantNames =
  split(`ashen bell, bank lily, bitter vetchling, bog candle, brindlewort, candle rush, carter's clover, cloud thistle,
  dunnet rose, eel grass, fen violet, ferryman's mint, fiddle fern, golden sorrel, hedge lantern, heron's foot, iskwort, king's sedge,
  lamb's bonnet, marl poppy, meadow flax, moss saffron, night campion, orrin daisy, pond parsley, salt aster, silver dock, weaver's teasel`);
const animalNames =
  split(`amber finch, bank otter, barn lark, brown heron, candle moth, carrow hare, cliff swift, dusk owl, fallow stoat,
  fen crane, fen frog, grey dipper, hill fox, iskan goose, long-eared vole, marsh harrier, meadow pipit, mosse trout, pond newt, reed mouse,
  river wagtail, salt tern, stone beetle, water raven`);
const tradeNames =
  split(`basket making, bell founding, boat building, bookbinding, bread baking, candle making, charcoal burning, clock making,
  cloth dyeing, eel fishing, glass blowing, hedge laying, lace making, paper making, pottery, salt panning, thatching, weaving`);
const craft = {
  'basket making': ['basket maker', 'a curved knife', 'willow rods'],
  'bell founding': ['bell founder', 'a clay mould', 'bronze'],
  'boat building': ['boat builder', 'an adze', 'larch planks'],
  bookbinding: ['bookbinder', 'a bone folder', 'calf leather'],
  'bread baking': ['baker', 'a long wooden peel', 'rye flour'],
  'candle making': ['candle maker', 'a dipping frame', 'beeswax'],
  'charcoal burning': ['charcoal burner', 'an iron rake', 'alder logs'],
  'clock making': ['clock maker', 'a small lathe', 'brass'],
  'cloth dyeing': ['dyer', 'a copper vat', 'madder root'],
  'eel fishing': ['eel fisher', 'a wicker trap', 'willow traps'],
  'glass blowing': ['glass blower', 'an iron pipe', 'white sand'],
  'hedge laying': ['hedge layer', 'a billhook', 'hazel stakes'],
  'lace making': ['lace maker', 'a pillow and bobbins', 'linen thread'],
  'paper making': ['paper maker', 'a wire mould', 'linen rags'],
  pottery: ['potter', 'a kick wheel', 'river clay'],
  'salt panning': ['salt panner', 'a wooden rake', 'sea water'],
  thatching: ['thatcher', 'a straight hazel spar', 'long straw'],
  weaving: ['weaver', 'a broad loom', 'combed wool'],
};
const dishNames =
  split(`apple dumpling, barley broth, black rye loaf, candle cake, eel pie, ferry stew, fen pudding, hethe cheese, honey wafer,
  leek tart, mosse chowder, plum leather, salt oat biscuit, smoked perch, sorrel soup, walnut bread`);
const foods = [
  'barley',
  'butter',
  'honey',
  'leeks',
  'rye flour',
  'apples',
  'smoked fish',
  'walnuts',
  'eggs',
  'cream',
  'onions',
  'plums',
  'pepper',
  'salt',
];
const festivalNames =
  split(`Apple Wassail, Bell Sunday, Candle Night, Eel Fair, Ferry Race, Goose Market, Hay Dance, Lantern Walk, Reed Cutting,
  River Blessing, Sheep Drive, Weavers' Parade`);
const buildingKinds = ['bridge', 'mill', 'lighthouse', 'abbey', 'market hall', 'clock tower', 'library', 'ferry house'];
const firstNames =
  split(`Agnes, Albin, Beatrix, Bernard, Clara, Conrad, Dorothea, Edmund, Elspeth, Felix, Greta, Hugo, Ida, Jasper, Katrin,
  Laurence, Mabel, Nicholas, Odile, Piers, Rosalind, Silas, Tabitha, Walter`);
const lastNames =
  split(`Ashdown, Barrowman, Carter, Dunnock, Eskdale, Fenwright, Garland, Hartley, Ingram, Jessop, Kettle, Lorimer, Marsh,
  Nettleship, Oakley, Pellow, Quill, Reedman, Sedgwick, Thatcher, Underhill, Vane, Wexford, Yarrow`);

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const things = (kind, names, make) =>
  names.map((name) => ({ kind, name, title: capital(name), ...make(stream(kind, name), name) }));
const person = (r) => `${r.pick(firstNames)} ${r.pick(lastNames)}`;
const others = (r, list, self, count) =>
  r.some(
    list.filter((name) => name !== self),
    count,
  );

const peopleNames = (() => {
  const r = stream('people');
  const names = new Set();
  while (names.size < 44) names.add(person(r));
  return [...names];
})();

const buildingNames = (() => {
  const r = stream('buildings');
  return r
    .some(townNames, 26)
    .map((town, i) => [
      `${town} ${capital(buildingKinds[i % buildingKinds.length])}`,
      town,
      buildingKinds[i % buildingKinds.length],
    ]);
})();

/** What every thing may mention: a place, a person, a plant … of the same world. */
function ties(r, self) {
  const [town, town2, town3] = others(r, townNames, self, 3);
  const [river, river2] = others(r, riverNames, self, 2);
  const [someone, someone2] = others(r, peopleNames, self, 2);
  const [plant, plant2] = others(r, plantNames, self, 2);
  const [animal, animal2] = others(r, animalNames, self, 2);
  const [trade, trade2] = others(r, tradeNames, self, 2);
  const [dish] = others(r, dishNames, self, 1);
  const [festival] = others(r, festivalNames, self, 1);
  const [food, food2, food3] = r.some(foods, 3);
  const [month, month2] = r.some(months, 2);
  const [building] = r.pick(buildingNames);
  return {
    town,
    town2,
    town3,
    river,
    river2,
    someone,
    someone2,
    plant,
    plant2,
    animal,
    animal2,
    trade,
    trade2,
    dish,
    festival,
    food,
    food2,
    food3,
    month,
    month2,
    building,
    hill: r.pick(hillNames),
    lake: r.pick(lakeNames),
    county: r.pick(counties),
    material: r.pick(materials),
    fish: r.pick(fish),
    colour: r.pick(colours),
    habitat: r.pick(habitats),
    season: r.pick(seasons),
    season2: r.pick(seasons),
    worker: craft[trade][0],
    tool: craft[trade][1],
    stuff: craft[trade][2],
    year: r.between(1610, 1740),
    year2: r.between(1750, 1860),
    year3: r.between(1870, 1950),
    year4: r.between(1960, 2024),
    km: r.between(3, 28),
    km2: r.between(30, 95),
    m: r.between(12, 90),
    m2: r.between(210, 890),
    cm: r.between(9, 140),
    kg: r.between(2, 30),
    few: r.pick(['two', 'three', 'four', 'five', 'six', 'seven']),
    many: r.pick(['twelve', 'twenty', 'thirty', 'forty', 'sixty']),
    people: r.between(6, 98) * 100,
    percent: r.between(6, 48),
  };
}

const make = (r, name) => ties(r, name);
export const world = [
  ...things('town', townNames, make),
  ...things(
    'river',
    riverNames.map((name) => name),
    (r, name) => ({ ...make(r, name), title: `River ${name}` }),
  ),
  ...things('hill', hillNames, make),
  ...things('lake', lakeNames, make),
  ...things('plant', plantNames, (r, name) => {
    const first = r.between(2, 6);
    return { ...make(r, name), month: months[first], month2: months[first + r.between(1, 3)] };
  }),
  ...things('animal', animalNames, make),
  ...things('trade', tradeNames, (r, name) => ({
    ...make(r, name),
    trade: name,
    worker: craft[name][0],
    tool: craft[name][1],
    stuff: craft[name][2],
  })),
  ...things('dish', dishNames, make),
  ...things('festival', festivalNames, make),
  ...things('person', peopleNames, (r, name) => {
    const own = make(r, name);
    return { ...own, born: own.year2, died: own.year2 + r.between(48, 86), last: name.split(' ')[1] };
  }),
  ...buildingNames.flatMap(([name, town, building]) =>
    things('building', [name], (r) => ({ ...make(r, town), place: town, type: building })),
  ),
];
export const people = peopleNames;
