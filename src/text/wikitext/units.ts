import type { Arguments } from './arguments.ts';
import { raise } from './tags.ts';

/** Words that `{{convert}}` takes between two numbers. */
const RANGES = new Map(['to', 'and', 'or', 'by', '-', '–', 'x', '×', '+/-', '±', 'to(-)', 'and(-)', 'xx', '*'].map((word) => [word, word === '-' || word === 'to(-)' ? '–' : word === 'x' || word === 'xx' || word === '*' ? ' × ' : word === '+/-' ? ' ± ' : word === '–' ? word : ` ${word} `]));
const UNITS = new Map([['sqmi', 'sq mi'], ['sqkm', 'km²'], ['km2', 'km²'], ['m2', 'm²'], ['cm2', 'cm²'], ['sqft', 'sq ft'], ['mi2', 'sq mi'], ['ft2', 'sq ft'], ['m3', 'm³'], ['km3', 'km³'], ['cm3', 'cm³'], ['ft3', 'cu ft'], ['cuft', 'cu ft'], ['cuyd', 'cu yd'], ['c', '°C'], ['f', '°F'], ['k', 'K'], ['kph', 'km/h'], ['ha', 'ha'], ['acre', 'acres'], ['foot', 'ft'], ['feet', 'ft'], ['inch', 'in'], ['mile', 'mi'], ['kmh', 'km/h'], ['lbf', 'lbf'], ['nmi', 'nmi']]);

/** `{{convert|5|to|10|km|mi}}` as "5 to 10 km": the author's figures, without the computed ones. */
export function renderConvert(args: Arguments): string {
  let text = '';
  for (const value of args.positional) {
    const range = RANGES.get(value);
    if (range !== undefined) text += range;
    else if (text === '' || RANGES_END.test(text)) text += value;
    else if (/^[\d.,]+$/.test(value)) return text;
    else return `${text} ${UNITS.get(value.toLowerCase()) ?? value.replace(/2$/, '²').replace(/3$/, '³')}`;
  }
  return text;
}
const RANGES_END = /[\s–]$/;

/** `{{val|1.5|0.2|e=3|u=m}}` as "1.5 ± 0.2 × 10³ m". */
export function renderVal(args: Arguments): string {
  const error = args.get(2) === '' ? '' : ` ± ${args.get(2)}`;
  const exponent = args.get('e') === '' ? '' : ` × 10${raise(args.get('e'), 'sup')}`;
  const unit = args.get('u') || args.get('ul');
  return `${args.get(1)}${error}${exponent}${unit === '' ? '' : ` ${unit}`}`;
}

/** `{{frac|1|2}}` as "1/2", `{{frac|3|1|2}}` as "3 1/2". */
export function renderFraction(args: Arguments): string {
  const [a = '', b, c] = args.positional;
  return b === undefined ? (/^\d+$/.test(a) ? `1/${a}` : a) : c === undefined ? `${a}/${b}` : `${a} ${b}/${c}`;
}

/** `{{height|m=1.8}}` as "1.8 m", `{{height|ft=5|in=11}}` as "5 ft 11 in". */
export function renderHeight(args: Arguments): string {
  return ['m', 'cm', 'ft', 'in'].filter((unit) => args.get(unit) !== '').map((unit) => `${args.get(unit)} ${unit}`).join(' ');
}

/** `{{chem|H|2|O}}` and `{{chem2|H2O}}` as H₂O. */
export function renderFormula(args: Arguments): string {
  return args.positional.map((part) => part.replace(/\d+/g, (digits) => raise(digits, 'sub'))).join('');
}
