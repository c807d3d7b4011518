import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { parseFields } from './warc.ts';

/** A recorded HTTP response with its transfer and content encodings undone. */
export interface HttpResponse {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/**
 * Read the block of a WARC `response` record (RFC 9112). Some crawlers store the body as it was sent; others decode it
 * and keep the header. So an encoding that does not fit the body is assumed to have been decoded already. Returns the
 * reason as a string when the block is not an HTTP response or its body can't be decoded.
 */
export function readHttpResponse(
  block: Uint8Array,
  maxBodyBytes: number,
): HttpResponse | 'not-http' | 'encoding' | 'too-large' {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  const status = /^HTTP\/\d(?:\.\d)? +(\d{3})\b/i.exec(bytes.toString('latin1', 0, 32))?.[1];
  if (status === undefined) return 'not-http';
  const { end, next } = headerEnd(bytes);
  const fields = parseFields(bytes.toString('latin1', 0, end));
  let body: Uint8Array = bytes.subarray(next);
  if (/chunked/i.test(fields.get('transfer-encoding') ?? '')) body = unchunk(body) ?? body;
  const decoded = decodeContent(body, (fields.get('content-encoding') ?? '').trim().toLowerCase(), maxBodyBytes);
  if (typeof decoded === 'string') return decoded;
  if (decoded.length > maxBodyBytes) return 'too-large';
  return { status: Number(status), fields, body: decoded };
}

function headerEnd(bytes: Buffer): { readonly end: number; readonly next: number } {
  const crlf = bytes.indexOf('\r\n\r\n');
  const lf = bytes.subarray(0, crlf < 0 ? bytes.length : crlf).indexOf('\n\n');
  if (lf >= 0) return { end: lf, next: lf + 2 };
  return crlf < 0 ? { end: bytes.length, next: bytes.length } : { end: crlf, next: crlf + 4 };
}

/** The data of the chunks, up to the end of a truncated body; `undefined` when the body is not chunked. */
function unchunk(body: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\n', at);
    if (lineEnd < 0 || lineEnd - at > 1000) break;
    const size = /^([0-9a-f]{1,8})\s*(?:;.*)?\r?$/i.exec(bytes.toString('latin1', at, lineEnd))?.[1];
    if (size === undefined) return at === 0 ? undefined : Buffer.concat(parts);
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    parts.push(bytes.subarray(lineEnd + 1, lineEnd + 1 + length));
    at = lineEnd + 1 + length;
    if (bytes[at] === 0x0d) at++;
    if (bytes[at] === 0x0a) at++;
  }
  return at === 0 && bytes.length > 5 ? undefined : Buffer.concat(parts);
}

function decodeContent(
  body: Uint8Array,
  encoding: string,
  maxOutputLength: number,
): Uint8Array | 'encoding' | 'too-large' {
  const options = { maxOutputLength };
  try {
    if (encoding.endsWith('gzip')) return isGzip(body) ? gunzipSync(body, options) : body;
    if (encoding === 'br') return looksLikeMarkup(body) ? body : brotliDecompressSync(body, options);
    if (encoding === 'deflate')
      return looksLikeMarkup(body)
        ? body
        : ((body[0] ?? 0) & 15) === 8
          ? inflateSync(body, options)
          : inflateRawSync(body, options);
    return ['', 'identity', 'none'].includes(encoding) || looksLikeMarkup(body) ? body : 'encoding';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'encoding';
  }
}

const isGzip = (body: Uint8Array): boolean => body[0] === 0x1f && body[1] === 0x8b;
const looksLikeMarkup = (body: Uint8Array): boolean =>
  /^(?:\xef\xbb\xbf)?\s*</.test(Buffer.from(body.subarray(0, 64)).toString('latin1'));
