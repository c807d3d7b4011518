import { byteOrderMark, decodeAs, decodeStrictUtf8, guessEncoding } from '../encoding/decode.ts';
import { encodingNamed } from '../encoding/encoding-name.ts';

/**
 * Decode an HTML page in the order of the HTML standard's sniffing algorithm: byte order mark, `charset` of the HTTP
 * Content-Type, `<meta>` in the first 4 KiB, then UTF-8 if all of it is valid, else windows-1252 if declared, else a
 * guess.
 */
export function decodeHtml(bytes: Uint8Array, contentType = ''): { readonly html: string; readonly encoding: string } {
  const declared = [
    byteOrderMark(bytes),
    encodingNamed(charsetOf(contentType.slice(0, 200))),
    metaEncoding(bytes),
  ].find((label) => label !== undefined);
  if (declared !== undefined && declared !== 'windows-1252')
    return { html: decodeAs(bytes, declared), encoding: declared };
  // Servers announce Latin-1 by default for pages that are UTF-8; text that is valid UTF-8 and not only ASCII is UTF-8.
  const utf8 = decodeStrictUtf8(bytes);
  if (utf8 !== undefined) return { html: utf8, encoding: 'utf-8' };
  const encoding = declared ?? guessEncoding(bytes);
  return { html: decodeAs(bytes, encoding), encoding };
}

/** The `charset` parameter of a Content-Type, or of a `<meta>` element's attributes. */
function charsetOf(text: string): string | undefined {
  return /charset\s*=\s*["']?\s*([^\s"';,/>]+)/i.exec(text)?.[1];
}

function metaEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1');
  for (const [, attributes = ''] of head.replace(/<!--[\s\S]*?-->/g, '').matchAll(/<meta\s([^>]*)/gi)) {
    const encoding = encodingNamed(charsetOf(attributes));
    // A page whose <meta> could be read as ASCII is not UTF-16, even if it declares that.
    if (encoding !== undefined) return encoding.startsWith('utf-16') ? 'utf-8' : encoding;
  }
  return undefined;
}
