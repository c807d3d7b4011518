import type { Arguments } from './arguments.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `2001|2|3` from argument `from` on as `February 3, 2001`, or `3 February 2001` where the call says `df=y`. */
export function renderDate(args: Arguments, from = 1): string {
  const [year = '', month = '', day = ''] = [args.get(from), args.get(from + 1), args.get(from + 2)];
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

/** A month by number or by name. */
function monthName(month: string): string {
  return /^\d{1,2}$/.test(month) ? (MONTHS[Number(month) - 1] ?? '') : month;
}
