const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Elements without an end tag. */
export const voidElements = words('area base br col embed frame hr img input link meta param source track wbr');

/** Elements that begin and end a block of text. */
export const blockElements = words(
  'address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption ' +
    'figure footer form ' +
    'frameset h1 h2 h3 h4 h5 h6 header hgroup html legend li main menu nav ol option p pre search section ' +
    'summary table tbody tfoot thead tr ul',
);

/** Elements whose text is not the page's prose. */
export const skippedElements = words(
  'applet aside audio button canvas datalist dialog embed footer frameset head iframe map math menu meter nav ' +
    'noembed noframes ' +
    'noscript object output picture progress script search select style svg template textarea video',
);

/** Boilerplate unless it is the head of the content itself. */
export const siteHeader = 'header';

/** Elements that hold the content; attributes never make them boilerplate. */
export const contentElements = words('article body html main');

/** Elements that an element of the same kind, or another of the group, ends when its end tag was omitted. */
export const impliedEnds: Readonly<Record<string, ReadonlySet<string>>> = {
  li: words('li'),
  dt: words('dt dd'),
  dd: words('dt dd'),
  tr: words('tr td th'),
  td: words('td th'),
  th: words('td th'),
  option: words('option'),
  a: words('a'),
};

const boilerplateRoles = words(
  'navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar tooltip',
);

/** Class and id words, alone or after one of the common prefixes. */
const boilerplateName =
  /^(?:(?:site|page|main|global|top|bottom|primary|secondary|mobile|wp|block)[-_]?)?(?:nav|navbar|navigation|navbox|menu|breadcrumbs?|sidebar|footer|masthead|pagination|pager|toolbar|toc|social|share|sharing|sharedaddy|related|related-?posts|newsletter|subscribe|signup|popup|modal|overlay|advert|advertisement|ads?|sponsored|skip-?link|screen-reader-text|sr-only|mw-editsection|reference|reflist|noprint|catlinks|printfooter|tags|tagcloud|widget)s?$/i;
const consentName = /cookie|gdpr|consent/i;

/** Attributes that {@link isBoilerplate} looks at. */
export const watchedAttributes = words('class id role hidden aria-hidden style href property name content lang');

/** Whether an element's attributes say that it is hidden, or not content. */
export function isBoilerplate(attributes: ReadonlyMap<string, string>): boolean {
  if (attributes.has('hidden') || attributes.get('aria-hidden') === 'true') return true;
  if (/display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes.get('style') ?? '')) return true;
  if (boilerplateRoles.has((attributes.get('role') ?? '').toLowerCase())) return true;
  const names = `${attributes.get('class') ?? ''} ${attributes.get('id') ?? ''}`.slice(0, 500).split(/\s+/);
  return names.some((name) => boilerplateName.test(name) || consentName.test(name));
}
