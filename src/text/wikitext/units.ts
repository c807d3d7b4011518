import type { Arguments } from './arguments.ts';
import { raise } from './tags.ts';

/** Words that `{{convert}}` takes between two numbers. */
const RANGES = new Map([
  ...['to', 'and', 'or', 'by'].map((word) => [word, ` ${word} `] as const),
  ...['x', 'xx', '*', '×'].map((word) => [word, ' × '] as const),
  ...['+/-', '±', '+'].map((word) => [word, word === '+' ? ' + ' : ' ± '] as const),
  ...['-', '–', 'to-', 'to(-)'].map((word) => [word, '–'] as const),
  ['and(-)', ' and '],
  ['and-', ' and '],
  ['by(x)', ' by '],
]);

interface Unit {
  readonly symbol: string;
  readonly singular: string;
  readonly plural: string;
}

/**
 * `code symbol singular/plural`, a space as `_`; the plural is the singular's first word with an s where it is not
 * given.
 */
const UNITS = new Map(
  (
    'm m metre;km km kilometre;cm cm centimetre;mm mm millimetre;μm μm micrometre;nm nm nanometre;ft ft ' +
    'foot/feet;foot ft foot/feet;feet ft foot/feet;in in inch/inches;inch in inch/inches;yd yd yard;' +
    'mi mi mile;mile mi mile;nmi nmi nautical_mile/nautical_miles;au au astronomical_unit/astronomical_units;ly ' +
    'ly light-year;pc pc parsec;kg kg kilogram;g g gram;mg mg milligram;lb lb pound;lbs lb pound;oz oz ounce;st ' +
    'st stone/stone;' +
    't t tonne;tonne t tonne;ST short_tons short_ton/short_tons;LT long_tons long_ton/long_tons;ha ha ' +
    'hectare;acre acres acre;acres acres acre;km2 km² square_kilometre/square_kilometres;sqkm km² ' +
    'square_kilometre/square_kilometres;' +
    'm2 m² square_metre/square_metres;cm2 cm² square_centimetre/square_centimetres;sqmi sq_mi ' +
    'square_mile/square_miles;mi2 sq_mi square_mile/square_miles;sqft sq_ft square_foot/square_feet;ft2 sq_ft ' +
    'square_foot/square_feet;' +
    'm3 m³ cubic_metre/cubic_metres;km3 km³ cubic_kilometre/cubic_kilometres;cm3 cm³ ' +
    'cubic_centimetre/cubic_centimetres;cuft cu_ft cubic_foot/cubic_feet;ft3 cu_ft cubic_foot/cubic_feet;cuyd ' +
    'cu_yd cubic_yard/cubic_yards;' +
    'l L litre;ml mL millilitre;usgal US_gal US_gallon/US_gallons;impgal imp_gal ' +
    'imperial_gallon/imperial_gallons;oilbbl bbl barrel;km/h km/h kilometre_per_hour;kph km/h ' +
    'kilometre_per_hour;kmh km/h kilometre_per_hour;mph mph mile_per_hour;' +
    'm/s m/s metre_per_second;kn kn knot;hp hp horsepower/horsepower;w W watt;kw kW kilowatt;MW MW megawatt;GW ' +
    'GW gigawatt;kpa kPa kilopascal;psi psi pound_per_square_inch;kj kJ kilojoule;kcal kcal kilocalorie;' +
    'c °C °C/°C;f °F °F/°F;k K kelvin;/km2 /km² per_square_kilometre/per_square_kilometre;/sqmi /sq_mi ' +
    'per_square_mile/per_square_mile'
  )
    .split(';')
    .map((entry): [string, Unit] => {
      const [code = '', symbol = '', names = ''] = entry.split(' ').map((word) => word.replaceAll('_', ' '));
      const [singular = '', plural = singular.replace(/^\S+/, '$&s')] = names.split('/');
      return [code, { symbol, singular, plural }];
    }),
);
/** Units that follow another in one measure, as inches do feet. */
const SMALLER: ReadonlySet<string> = new Set(['ft in', 'lb oz', 'st lb', 'mi yd', 'yd ft']);

/**
 * `{{convert|5|to|10|km|mi}}` as "5 to 10 kilometres": the author's figures, without the computed ones. The unit is
 * spelled out unless the call, or its other name `cvt`, wants the symbol; `adj=on` gives "5-kilometre", `adj=mid|-long`
 * "5-kilometre-long".
 */
export function renderConvert(args: Arguments): string {
  const { positional } = args;
  let text = '';
  let number = '';
  let wantsNumber = true;
  let at = 0;
  for (; at < positional.length; at++) {
    const value = positional[at] as string;
    const range = RANGES.get(value);
    if (range !== undefined) text += range;
    else if (wantsNumber) text += number = args.get('comma') === 'off' ? value : withCommas(value);
    else break;
    wantsNumber = range !== undefined;
  }
  const code = positional[at];
  if (code === undefined || /^[\d.,]+$/.test(code)) return text;
  const [rest, smaller] = positional.slice(at + 1);
  const isCompound = rest !== undefined && smaller !== undefined && SMALLER.has(`${code} ${smaller}`);
  const measure = withUnit(text, number, code, args);
  return isCompound ? `${measure} ${withUnit(rest, rest, smaller, args)}` : measure;
}

function withUnit(text: string, number: string, code: string, args: Arguments): string {
  const unit = UNITS.get(code) ?? UNITS.get(code.toLowerCase());
  if (unit === undefined) return `${text} ${code.replace(/2$/, '²').replace(/3$/, '³')}`;
  const isAbbreviated =
    args.name !== 'convert' ? args.get('abbr') !== 'off' : /^(?:on|in|values)$/.test(args.get('abbr'));
  const middle = args.get('adj') === 'mid' ? (args.positional.at(-1) ?? '') : '';
  const isAdjective = args.get('adj') === 'on' || middle !== '';
  const name = isAbbreviated ? unit.symbol : isAdjective || number === '1' ? unit.singular : unit.plural;
  const spelled = args.get('sp') === 'us' ? name.replace(/metre/g, 'meter').replace(/litre/g, 'liter') : name;
  const space =
    unit.symbol.startsWith('/') && isAbbreviated
      ? ''
      : isAdjective && !isAbbreviated && !spelled.startsWith('°')
        ? '-'
        : ' ';
  return text + space + spelled + (middle.startsWith('-') || middle === '' ? middle : ` ${middle}`);
}

/** `12345.6` as "12,345.6". */
export function withCommas(number: string): string {
  return /^[-−]?\d{4,15}(?:\.\d{1,15})?$/.test(number)
    ? number.replace(
        /^([-−]?)(\d+)/,
        (_, sign: string, digits: string) => sign + digits.replace(/\d(?=(?:\d{3})+$)/g, '$&,'),
      )
    : number;
}

/** `{{val|1.5|0.2|e=3|u=m}}` as "1.5 ± 0.2 × 10³ m". */
export function renderVal(args: Arguments): string {
  const number = args.get('fmt') === 'commas' ? withCommas(args.get(1)) : args.get(1);
  const error = args.get(2) === '' ? '' : ` ± ${args.get(2)}`;
  const exponent = args.get('e') === '' ? '' : ` × 10${raise(args.get('e'), 'sup')}`;
  const unit = args.get('u') || args.get('ul');
  return `${number}${error}${exponent}${unit === '' ? '' : ` ${unit}`}`;
}

/** `{{frac|1|2}}` as "1/2", `{{frac|3|1|2}}` as "3 1/2". */
export function renderFraction(args: Arguments): string {
  const [a = '', b, c] = args.positional;
  return b === undefined ? (/^\d+$/.test(a) ? `1/${a}` : a) : c === undefined ? `${a}/${b}` : `${a} ${b}/${c}`;
}

/** `{{height|m=1.8}}` as "1.8 m", `{{height|ft=5|in=11}}` as "5 ft 11 in". */
export function renderHeight(args: Arguments): string {
  return ['m', 'cm', 'ft', 'in']
    .filter((unit) => args.get(unit) !== '')
    .map((unit) => `${args.get(unit)} ${unit}`)
    .join(' ');
}

/** `{{chem|H|2|O}}` and `{{chem2|H2O}}` as H₂O, `{{chem|SO|4|2-}}` and `{{chem2|SO4(2-)}}` as SO₄²⁻. */
export function renderFormula(args: Arguments): string {
  return args.positional
    .map((part, i) => {
      if (i > 0 && /^\d?[+−–-]$/.test(part)) return raise(part, 'sup');
      return part
        .replace(/\((\d?[+−-])\)$/, (_, charge: string) => raise(charge, 'sup'))
        .replace(/(?<=\d|[A-Za-z)\]])[+−-]$/, (charge) => raise(charge, 'sup'))
        .replace(/\d+/g, (digits) => raise(digits, 'sub'));
    })
    .join('');
}

/** `{{pop density|1000|50|km2}}` as "20/km²". */
export function renderDensity(args: Arguments): string {
  const density = Number(args.get(1).replaceAll(',', '')) / Number(args.get(2).replaceAll(',', ''));
  if (!Number.isFinite(density) || args.get(2) === '') return '';
  return `${withCommas(density.toFixed(Math.min(6, Math.max(0, Number(args.get('prec')) || 0))))}/${UNITS.get(args.get(3))?.symbol ?? args.get(3)}`;
}

/**
 * `{{coord|12|19|N|70|1|W}}` as "12°19′N 70°1′W", `{{coord|12.5|-70}}` as "12.5°N 70°W"; nothing where only the page's
 * corner shows it.
 */
export function renderCoordinates(args: Arguments): string {
  const display = args.get('display') || 'inline';
  if (!/inline|^i/.test(display)) return '';
  const values = args.positional.filter((value) => /^[-−+]?[\d.]+$|^[NSEW]$/i.test(value));
  const ends = values.flatMap((value, i) => (/^[NSEW]$/i.test(value) ? [i] : []));
  if (ends.length === 0)
    return values.length === 2
      ? `${signed(values[0] as string, 'N', 'S')} ${signed(values[1] as string, 'E', 'W')}`
      : '';
  if (ends.length !== 2) return '';
  const angle = (parts: readonly string[]): string =>
    parts.map((part, i) => part + (/^[NSEW]$/i.test(part) ? '' : '°′″'[i])).join('');
  return `${angle(values.slice(0, (ends[0] as number) + 1))} ${angle(values.slice((ends[0] as number) + 1))}`;
}

function signed(degrees: string, positive: string, negative: string): string {
  return /^[-−]/.test(degrees) ? `${degrees.slice(1)}°${negative}` : `${degrees.replace(/^\+/, '')}°${positive}`;
}
