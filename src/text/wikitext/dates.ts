import type { Arguments } from './arguments.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `2001|2|3` as `February 3, 2001`, or `3 February 2001` where the call says `df=y`. */
export function renderDate(args: Arguments): string {
  const [year = '', month = '', day = ''] = [args.get(1), args.get(2), args.get(3)];
  if (!/^\d{1,4}$/.test(year)) return [year, month, day].filter((part) => part !== '').join(' ');
  const name = monthName(month);
  if (name === '') return year;
  if (!/^\d{1,2}$/.test(day)) return `${name} ${year}`;
  const dayFirst = /^(?:y|yes|true|1)$/i.test(args.get('df')) || args.get('df') === 'dmy';
  return dayFirst ? `${Number(day)} ${name} ${year}` : `${name} ${Number(day)}, ${year}`;
}

/** `{{as of|2010|5}}`: "As of May 2010". */
export function renderAsOf(args: Arguments): string {
  const alternative = args.get('alt');
  if (alternative !== '') return alternative;
  const [year, month, day] = [args.get(1), monthName(args.get(2)), args.get(3)];
  const word = /^(?:y|yes)$/i.test(args.get('lc')) ? 'as of' : 'As of';
  return [args.get('since') === 'y' ? 'Since' : word, day, month, year].filter((part) => part !== '').join(' ');
}

/** `{{age|1969|7|20}}`: whole years up to the day that the page is seen on, or to a second date. */
export function renderAge(args: Arguments, { date }: { readonly date: string }): string {
  const from = [args.get(1), args.get(2), args.get(3)].map(Number);
  const to = (args.get(4) === '' ? date.split('-') : [args.get(4), args.get(5), args.get(6)]).map(Number);
  const [year = 0, month = 0, day = 0] = to.map((part, i) => part - (from[i] ?? 0));
  const age = year - (month < 0 || (month === 0 && day < 0) ? 1 : 0);
  return from[0] === 0 || to[0] === 0 || Number.isNaN(age + month + day) ? '' : String(age);
}

/** A month by number or by name. */
export function monthName(month: string): string {
  return /^\d{1,2}$/.test(month) ? (MONTHS[Number(month) - 1] ?? '') : month;
}
