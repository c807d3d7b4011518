/** Lower-case link prefixes, by how the link is handled. */
export interface LinkPrefixes {
  /** Files and categories: nothing is left. */
  readonly dropped: ReadonlySet<string>;
}

/** Names of the file and category namespaces, for dumps that do not list them. */
const DROPPED_NAMESPACES = (
  'file image media category 文件 檔案 档案 图像 圖像 媒体 媒體 分类 分類 datei bild kategorie fichier catégorie archivo imagen ' +
  'categoría ficheiro imagem categoria immagine файл изображение категория ファイル 画像 カテゴリ 파일 그림 분류 bestand ' +
  'afbeelding categorie plik grafika kategoria fil soubor kategori dosya resim ملف تصنيف קובץ קטגוריה'
).split(' ');

const prefixesOf = new WeakMap<ReadonlyMap<number, string>, LinkPrefixes>();
const noNamespaces: ReadonlyMap<number, string> = new Map();

/** The prefixes of a wiki, made once for all pages that come with the same map. */
export function linkPrefixes(namespaces = noNamespaces): LinkPrefixes {
  let prefixes = prefixesOf.get(namespaces);
  if (prefixes === undefined) {
    const own = [-2, 6, 14].map((number) => (namespaces.get(number) ?? '').toLowerCase()).filter((name) => name !== '');
    prefixesOf.set(namespaces, (prefixes = { dropped: new Set([...DROPPED_NAMESPACES, ...own]) }));
  }
  return prefixes;
}

/** Wikis of other languages are linked as `[[de:Riga]]`; shown in the margin, never in the text. */
const LANGUAGE_PREFIX =
  /^(?:[a-z]{2,3}|simple|tokipona|[a-z]{2,3}-[a-z]{3,8}(?:-[a-z]{2,5})?|bat-smg|be-x-old|fiu-vro|map-bms|roa-rup|roa-tara|zh-min-nan)$/;
/** Three letters and fewer that are not languages. */
const OTHER_PREFIXES = new Set(['doi', 'rfc', 'hdl', 'mw', 'rev', 'phab']);

/** Old aliases of the file namespace are in no list, but their files have extensions. */
const MEDIA_FILE = /\.(?:jpe?g|png|svg|gif|tiff?|webp|og[gva]|webm|mp[34g]|wav|flac|mid|pdf|djvu)$/i;

/** A link without its `[[ ]]`, split at bars: its label, or nothing for files, categories and other languages. */
export function renderLink(args: readonly string[], prefixes: LinkPrefixes): string {
  let target = (args[0] ?? '').trim();
  const shown = target.startsWith(':');
  if (shown) target = target.slice(1).trimStart();
  const colon = target.indexOf(':');
  const prefix = colon > 0 && colon <= 60 ? target.slice(0, colon).trim().toLowerCase() : '';
  if (!shown && prefix !== '') {
    if (prefixes.dropped.has(prefix) || MEDIA_FILE.test(target)) return '';
    if (args.length === 1 && LANGUAGE_PREFIX.test(prefix) && !OTHER_PREFIXES.has(prefix) && target[colon + 1] !== ' ')
      return '';
  }
  if (args.length === 1) return target.replace(/_/g, ' ').replace(/^#/, '');
  const label = args.slice(1).join('|');
  if (label.trim() !== '') return label;
  // The pipe trick: `[[Riga (city)|]]`, `[[Help:Link|]]`.
  return target.slice(prefix === '' ? 0 : colon + 1).replace(/\s*[(（][^()（）]*[)）]\s*$/, '');
}

/** `https://example.org label` gives the label; without one, the URL is not prose. */
export function renderExternalLink(content: string): string {
  const space = content.search(/\s/);
  return space < 0 ? '' : content.slice(space + 1).trim();
}
