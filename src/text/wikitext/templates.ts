import { parseArguments, type Arguments } from './arguments.ts';
import { monthName, renderAge, renderAsOf, renderDate } from './dates.ts';
import { LINE_BREAK } from './marks.ts';
import { renderEnglishSounds, renderRespelling, renderSounds } from './pronunciation.ts';
import { raise } from './tags.ts';
import {
  renderConvert,
  renderCoordinates,
  renderDensity,
  renderFormula,
  renderFraction,
  renderHeight,
  renderVal,
  withCommas,
} from './units.ts';

/** What templates can tell about the page that they are on. */
export interface PageFacts {
  readonly title: string;
  /** Day the page is seen on, as YYYY-MM-DD; empty when unknown. */
  readonly date: string;
}

type Render = (args: Arguments, page: PageFacts) => string;

/**
 * What a template call, split at its bars, reads as. Templates that carry prose have an entry here; of all others, such
 * as infoboxes, navigation, maintenance and citations, nothing is left.
 */
export function renderTemplate(parts: readonly string[], page: PageFacts): string {
  const args = parseArguments(parts);
  const { name } = args;
  if (name.length > 80) return renderFunction(args, parts, page);
  const render = TEMPLATES.get(name);
  if (render !== undefined) return render(args, page);
  for (const [pattern, renderMatch] of PATTERNS) if (pattern.test(name)) return renderMatch(args, page);
  return renderFunction(args, parts, page);
}

const first: Render = (args) => args.get(1);
const second: Render = (args) => args.get(2);
const last: Render = (args) => args.positional.at(-1) ?? '';
const lines: Render = (args) =>
  args.positional
    .filter((item) => item !== '')
    .map((item) => `\n* ${item}`)
    .join('') + '\n';
const joined: Render = (args) => args.positional.filter((item) => item !== '').join(', ');
const text =
  (constant: string): Render =>
  () =>
    constant;
const before =
  (prefix: string): Render =>
  (args) =>
    prefix + args.get(1);
/** `a (b, c)`, leaving out what is empty. */
const withBrackets = (head: string, ...rest: readonly string[]): string => {
  const inner = rest.filter((part) => part !== '').join(', ');
  return head === '' ? inner : inner === '' ? head : `${head} (${inner})`;
};
const quote: Render = (args) => {
  const said = args.get(1) || args.get('text') || args.get('quote') || args.get('content');
  const by = args.get(2) || args.get('author') || args.get('sign');
  return said === '' ? '' : `\n\n${said}${by === '' ? '' : `${LINE_BREAK}— ${by}`}\n\n`;
};
/** A letter as a letter, `⟨a⟩`. */
const grapheme: Render = (args) => (args.get(1) === '' ? '' : `⟨${args.get(1)}⟩`);
/** `{{sic}}` as "[sic]", `{{sic|teh}}` as "teh [sic]"; `hide=y` keeps the remark out. */
const sic: Render = (args) =>
  [args.positional.join(''), /^(?:y|yes|1)$/i.test(args.get('hide')) ? '' : '[sic]']
    .filter((part) => part !== '')
    .join(' ');
const ship: Render = (args) => `${args.name.toUpperCase()} ${args.get(1)}`;

/** One renderer under several names. */
function named(names: string, render: Render, separator = ' '): readonly (readonly [string, Render])[] {
  return names.split(separator).map((name) => [name, render] as const);
}

const TEMPLATES: ReadonlyMap<string, Render> = new Map([
  // Punctuation and characters.
  ...named('nbsp,space,spaces,thinsp,hair space', text(' '), ','),
  ...named(
    'snd,snds,spnd,spaced ndash,spaced en dash,en dash,ndash,–',
    (args) => (/^s|spaced/.test(args.name) ? ' – ' : '–'),
    ',',
  ),
  ...named(
    'mdash,mdashb,em dash,—,spaced mdash,spaced em dash',
    (args) => (args.name.startsWith('spaced') ? ' — ' : '—'),
    ',',
  ),
  ...named("' -' 's", (args) => (args.name === "'s" ? '’s' : '’')),
  ...named(`' "|" '|'"|"'|-"`, (args) => args.name.replace(/[ -]/g, ''), '|'),
  ['eqm', text('⇌')],
  ...named('! !! =', (args) => (args.name === '=' ? '=' : '|'.repeat(args.name.length))),
  ...named(
    '·,dot,•,bull,bullet,middot',
    (args) => (args.name.startsWith('b') || args.name === '•' ? ' • ' : ' · '),
    ',',
  ),
  ...named('okina hamza', (args) => (args.name === 'okina' ? 'ʻ' : 'ʼ')),
  ...named('pi', text('π')),
  ...named('shy zwnj zwj zwsp', text('')),
  ...named('\\ /', text(' / ')),
  ...named('br crlf break clear', (args) => (args.name === 'clear' ? '\n' : LINE_BREAK)),
  ['sic', sic],
  ['number sign', text('#')],
  ['degree', text('°')],

  // Typography around text: the text.
  ...named(
    'nowrap,nobr,nobold,nobreak,noitalic,normal,small,smaller,big,bigger,large,em,strong,bold,italic,italics,i,b,' +
      'u,underline,mono,tt,code,kbd,samp,var,mvar,math,bigmath,tmath,sc,smallcaps,small caps,sc1,' +
      'not a typo,typo,as written,proper name,notatypo,serif,sans,center,align center,block indent,em indent,cn ' +
      'span,citation needed span,nwr,midsize,longitem,nq,nastaliq,' +
      'nts,unicode,polytonic,hebrew,cuneiform,pua,hanja,kanji,no link,visible anchor,vanchor,anchored text,char,' +
      'key,keypress,button,abs,字,僻字,专名,專名,书名',
    first,
    ',',
  ),
  ...named('sup,sub', (args) => raise(args.get(1), args.name as 'sup' | 'sub'), ','),
  ...named('gaps,linktext', (args) => args.positional.join(''), ','),
  ...named('key press,keyboard', (args) => args.positional.join('+'), ','),
  ...named('plainlist,flatlist', (args) => `\n${args.get(1)}\n`, ','),
  ...named('abbr,abbrv,tooltip,explain,hover,h:title,definition,define', first, ','),
  ...named(
    'color,colour,font color,fontcolor,background color,bgcolor,font,text color',
    (args, page) => args.get('text') || last(args, page),
    ',',
  ),
  ...named(
    'poem,poemquote,quote,blockquote,cquote,quotation,bquote,quotebox,quote box,rquote,centered pull quote,引文',
    quote,
    ',',
  ),

  // Languages.
  ...named('lang,langx,lang-x,langue,langi,le lang,rtl-lang,script,native name', second, ','),
  ...named('transl,transliteration,translit,xlit,resize', last, ','),
  ...named('nihongo,nihongo foot,nihongo2,nihongo3,nihongo krt,日本語', renderNihongo, ','),
  ...named('zh,zh-full,zh full', renderChinese, ','),
  ...named('korean,ko-hhrm', (args) => args.get('hangul') || args.get(1), ','),
  ...named('ruby,ruby-ja,ruby-zh,ruby-zh-p,furigana', (args) => withBrackets(args.get(1), args.get(2)), ','),
  ...named(
    'ill,interlanguage link,interlanguage link multi,iw,ill2,ill-wd',
    (args) => args.get('lt') || args.get('display') || args.get(1),
    ',',
  ),
  ...named('le,link-en,link-ja,link-de,link-fr,link-ru,link-ko,link-es', (args) => args.get(3) || args.get(1), ','),
  ...named('tsl,ilh,internal link helper,内部链接助手', (args) => args.get(4) || args.get(3), ','),
  ...named('translation,lit,literal translation,literally,gloss', (args) => `lit. '${args.get(1)}'`, ','),
  ['audio', second],
  ...named('angbr,angle bracket,grapheme,vr,vowel ref,orthographic', grapheme, ','),
  ['ipac-en', renderEnglishSounds],
  ...named('ipa,ipablink,ipa blink', renderSounds, ','),
  ...named('ipaslink,ipa slink', (args) => `/${args.get(1)}/`, ','),
  ...named('ipalink,ipa link', first, ','),
  ['respell', renderRespelling],

  // Numbers, units, money.
  ...named('convert cvt conv', renderConvert),
  ['formatnum', (args) => withCommas(args.get(1))],
  ...named('val', renderVal),
  ...named('frac sfrac fraction', renderFraction),
  ...named('height', renderHeight),
  ...named('chem chem2', renderFormula),
  ...named('e', (args) => `×10${raise(args.get(1), 'sup')}`),
  ...named('10^', (args) => `10${raise(args.get(1), 'sup')}`),
  ...named('us$,usd,us dollar', before('US$'), ','),
  ...named('a$ au$ aud', before('A$')),
  ...named('ca$ c$ cad', before('C$')),
  ...named('£ gbp', before('£')),
  ...named('€ euro eur', before('€')),
  ...named('¥ jpy cny rmb', before('¥')),
  ...named('inr,₹,indian rupee', before('₹'), ','),
  ...named('unité nombre nobr unit', (args) => args.positional.join(' ')),
  ['coord', renderCoordinates],
  ...named('pop density,density', renderDensity, ','),
  ...named('railgauge,rail gauge,track gauge', (args) => args.get(1).replace(/^([\d.,]+)([a-z]+)$/, '$1 $2'), ','),
  ['us patent', before('U.S. Patent ')],
  ...named('percent pct', (args) => `${args.get(1)}%`),

  // Dates.
  ...named(
    'birth date,birth-date,bda,birth date and age,birth-date and age,death date,death-date,death date and age,' +
      'start date,start date and age,end date,film date,dob,dts,date,release date,launch date,birth year and age,' +
      'death year and age',
    renderDate,
    ',',
  ),
  ...named('as of,asof', renderAsOf, ','),
  ...named('age,age in years', renderAge, ','),
  ...named(
    'circa,c.,ca.,ca,approx',
    (args) => (args.get(1) === '' ? 'c.' : `c. ${args.positional.join(' – c. ')}`),
    ',',
  ),
  ...named('floruit,fl.,fl', (args) => `fl. ${args.positional.join('–')}`.trim(), ','),
  ...named('reign,r.', (args) => `r. ${args.positional.join('–')}`, ','),
  ...named('born,b.', before('b. '), ','),
  ...named('died,d.', before('d. '), ','),
  ...named('oldstyledate,old style date,osd', (args) => `${args.get(1)} ${args.get(2)}`.trim(), ','),
  ...named('s s- siècle', (args) => `${args.get(1)}e siècle`),
  ...named('bd', renderLifeDates),
  ...named('year bc,bc', (args) => `${args.get(1)} BC`, ','),
  ...named('ad', (args) => `AD ${args.get(1)}`),
  ...named('ce bce', (args) => `${args.get(1)} ${args.name.toUpperCase()}`.trim()),

  // Lists.
  ...named('unbulleted list,ubl,ublist,plain list,bulleted list,blist,ordered list,olist', lines, ','),
  ...named('hlist,horizontal list,flat list,comma separated entries,cslist,csv', joined, ','),

  // Names of things.
  ...named('flag,flagcountry,flagu,flag+link', first, ','),
  ...named('uss hms ss rms hmas hmcs ms mv usns usat usrc css', ship),
  ...named('ship sclass', (args) =>
    args.name === 'ship' ? `${args.get(1)} ${args.get(2)}`.trim() : `${args.get(1)}-class ${args.get(2)}`,
  ),
  ...named('jct,road', joined, ','),
  ['url', second],
  ...named('bibleverse,bibleref,bibleref2,sourcetext', (args) => `${args.get(1)} ${args.get(2)}`.trim(), ','),
  ...named('music', (args) => MUSIC[args.get(1).toLowerCase()] ?? args.get(1)),
]);

/** Families of templates; anchored and short, each tried on names of up to 80 characters. */
const PATTERNS: readonly (readonly [RegExp, Render])[] = [
  [/^lang-[a-z][a-z-]{1,14}$/, first],
  [/^ipa-[a-z]{2,3}$/, renderSounds],
  [/^script\/[a-z ]{2,30}$/, first],
  // The same in other wikis: `{{Vol-lv|pantera}}`, `{{яз-en|cougar}}`.
  [
    /^\p{L}{2,8}-(?:[a-z]{2,3}|[a-z]{2,4}-[a-z]{2,4}(?:-[a-z]{2,4})?)$/u,
    (args) => (args.positional.length === 1 ? args.get(1) : ''),
  ],
  [/^link-[a-z]{2,10}$/, (args) => args.get(3) || args.get(1)],
  [/^(?:zh|ja|ko|vi)-[a-z-]{1,10}$/, first],
];

const MUSIC: Readonly<Record<string, string>> = { flat: '♭', b: '♭', sharp: '♯', '#': '♯', natural: '♮' };

/** `{{nihongo|English|kanji|romaji|extra}}`. */
function renderNihongo(args: Arguments): string {
  const [english, kanji, romaji, extra] = [args.get(1), args.get(2), args.get(3), args.get(4) || args.get('extra')];
  if (args.name === 'nihongo2') return english;
  if (args.name === 'nihongo3') return withBrackets(romaji, kanji, english);
  if (args.name === 'nihongo foot') return english;
  if (args.name === 'nihongo krt') return withBrackets(kanji, romaji, english);
  return withBrackets(english, kanji, romaji, extra);
}

/** `{{zh|s=简|t=繁|p=jiǎn}}`: the forms, simplified first. */
function renderChinese(args: Arguments): string {
  const forms: readonly (readonly [string, readonly string[]])[] = [
    ['Chinese', ['c']],
    ['simplified Chinese', ['s']],
    ['traditional Chinese', ['t']],
    ['pinyin', ['p']],
    ['Wade–Giles', ['w']],
    ['Jyutping', ['j']],
    ['lit.', ['l']],
  ];
  const shown = forms
    .map(([label, keys]) => [label, keys.map((key) => args.get(key)).find((value) => value !== '')] as const)
    .filter(([, value]) => value !== undefined);
  return shown.length === 0 ? args.get(1) : shown.map(([label, value]) => `${label}: ${value}`).join('; ');
}

/** Chinese `{{BD|1900年|1月1日|1980年|2月2日}}`. */
function renderLifeDates(args: Arguments): string {
  const [birthYear, birthDay, deathYear, deathDay] = [args.get(1), args.get(2), args.get(3), args.get(4)];
  return `（${birthYear}${birthDay}—${deathYear}${deathDay}）`;
}

/** Magic words and parser functions, `{{uc:word}}`; those that compute something show nothing. */
function renderFunction(args: Arguments, parts: readonly string[], page: PageFacts): string {
  const colon = args.rawName.indexOf(':');
  if (colon < 0) return renderVariable(args.rawName, page);
  const value = args.rawName.slice(colon + 1).trim();
  switch (args.rawName.slice(0, colon).trim().toLowerCase()) {
    case 'uc':
      return value.toUpperCase();
    case 'lc':
      return value.toLowerCase();
    case 'ucfirst':
      return value.slice(0, 1).toUpperCase() + value.slice(1);
    case 'lcfirst':
      return value.slice(0, 1).toLowerCase() + value.slice(1);
    case 'formatnum':
      return withCommas(value);
    case '#tag':
      return value === 'nowiki' ? (parts[1] ?? '') : '';
    default:
      return '';
  }
}

/** Magic words without arguments, which are upper-case. */
function renderVariable(name: string, { title, date }: PageFacts): string {
  if (/^(?:FULL|BASE|ROOT|SUB)?PAGENAME$/.test(name)) return title;
  if (/^(?:CURRENT|LOCAL)YEAR$/.test(name)) return date.slice(0, 4);
  return /^(?:CURRENT|LOCAL)MONTHNAME$/.test(name) && date !== '' ? monthName(String(Number(date.slice(5, 7)))) : '';
}
