import { fail } from '../core/diagnostic.ts';
import { gunzipMembers } from './gzip-members.ts';
import { SegmentReader } from './segment-reader.ts';

/** A record of a WARC file. */
export interface WarcRecord {
  readonly ok: true;
  /** `response`, `conversion`, `warcinfo`, … */
  readonly type: string;
  /** Named fields with lower-case names; of a repeated one, the last value. */
  readonly fields: ReadonlyMap<string, string>;
  /** The content block, exactly as long as Content-Length says. */
  readonly block: Uint8Array;
}

/** A part of a WARC file that could not be read as a record. */
export interface BadRecord {
  readonly ok: false;
  readonly reason: 'bad-header' | 'bad-length' | 'too-large' | 'truncated' | 'damaged';
  readonly detail: string;
  /** WARC-Target-URI or WARC-Record-ID, if known. */
  readonly record: string;
}

export interface WarcOptions {
  /** File name, for messages. */
  readonly name: string;
  /** Longest content block held in memory; a longer record is skipped as `too-large`. Default: 64 MiB. */
  readonly maxBlockBytes?: number;
  /** Longest record header. Default: 64 KiB. */
  readonly maxHeaderBytes?: number;
}

/**
 * Read a WARC 1.0 or 1.1 file (ISO 28500), plain or gzipped, one record in memory at a time. A record that is damaged
 * or truncated, or whose Content-Length can't be right, is returned as a {@link BadRecord}, and reading continues with
 * the next record: at the next member of a gzipped file, otherwise at the next `WARC/1.` after a blank line. Fails when
 * the file is not a WARC file at all.
 * @example
 * for await (const record of readWarc(chunks, { name: 'a.warc.gz' }))
 *   if (record.ok && record.type === 'response') …
 */
export async function* readWarc(
  chunks: AsyncIterable<Uint8Array>,
  options: WarcOptions,
): AsyncGenerator<WarcRecord | BadRecord> {
  const { name, maxBlockBytes = 64 * 1024 * 1024, maxHeaderBytes = 64 * 1024 } = options;
  const input = new SegmentReader(gunzipMembers(chunks), recordStart);
  let isFirst = true;
  try {
    while (await input.nextSegment()) {
      if (isFirst) await requireWarc(input, name);
      isFirst = false;
      let records = 0;
      while (await skipBlankLines(input)) {
        records++;
        yield await readRecord(input, maxBlockBytes, maxHeaderBytes);
      }
      if (records === 0 && input.damage !== undefined) yield bad(...damageOf(input), '');
    }
    if (isFirst) fail('not-warc', `${name} is empty`, 'Download it again.');
  } finally {
    await input.close();
  }
}

const recordStart = 'WARC/1.';

/** Read the record at the beginning of the window. If that fails, move to where the next one may begin. */
async function readRecord(
  input: SegmentReader,
  maxBlockBytes: number,
  maxHeaderBytes: number,
): Promise<WarcRecord | BadRecord> {
  const result = await tryRecord(input, maxBlockBytes, maxHeaderBytes);
  if (!result.ok) {
    await input.seek(`\r\n\r\n${recordStart}`);
  }
  return result;
}

async function tryRecord(
  input: SegmentReader,
  maxBlockBytes: number,
  maxHeaderBytes: number,
): Promise<WarcRecord | BadRecord> {
  const headerBytes = await headerLength(input, maxHeaderBytes);
  if (headerBytes === undefined) return bad(...damageOf(input), '');
  const header = input.window.toString('utf8', 0, Math.max(headerBytes, 0));
  if (headerBytes < 0 || !header.startsWith(recordStart))
    return bad('bad-header', headerBytes < 0 ? `no end within ${maxHeaderBytes} bytes` : 'no WARC/1.x line', '');
  const fields = parseFields(header);
  const record = targetUri(fields) || (fields.get('warc-record-id') ?? '');
  const length = fields.get('content-length') ?? '';
  if (!/^\d{1,15}$/.test(length))
    return bad('bad-length', `Content-Length is ${JSON.stringify(length.slice(0, 40))}`, record);
  if (Number(length) > maxBlockBytes)
    return bad('too-large', `Content-Length is ${length}, the limit ${maxBlockBytes}`, record);
  const end = headerBytes + Number(length);
  // One byte more than the record and its two line ends, to check whether its gzip member ends properly.
  const available = await input.fill(end + 5);
  if (available < end || (available <= end + 4 && input.damage !== undefined)) return bad(...damageOf(input), record);
  // Some writers omit the blank lines, so a block that ends with its member is also valid.
  if (available > end && !/^\r?\n/.test(input.window.toString('latin1', end, end + 2)))
    return bad('bad-length', `something follows the ${length} bytes of Content-Length`, record);
  const block = new Uint8Array(input.window.subarray(headerBytes, end));
  input.skip(end);
  return { ok: true, type: (fields.get('warc-type') ?? '').toLowerCase(), fields, block };
}

function bad(reason: BadRecord['reason'], detail: string, record: string): BadRecord {
  return { ok: false, reason, detail, record };
}

function damageOf(input: SegmentReader): [BadRecord['reason'], string] {
  const { damage } = input;
  if (damage === undefined) return ['truncated', 'the record ends early'];
  return [damage === 'cut off' ? 'truncated' : 'damaged', `gzip member: ${damage}`];
}

/** WARC-Target-URI; some WARC 1.0 writers put it in angle brackets. */
export function targetUri(fields: ReadonlyMap<string, string>): string {
  return (fields.get('warc-target-uri') ?? '').replace(/^<(.*)>$/, '$1');
}

/** Bytes up to the block; -1 when there is no end within the limit, `undefined` when the segment ends first. */
async function headerLength(input: SegmentReader, maxBytes: number): Promise<number | undefined> {
  for (let size = 4096; ; size *= 2) {
    const available = await input.fill(Math.min(size, maxBytes));
    const end = input.window.subarray(0, maxBytes).indexOf('\r\n\r\n');
    if (end >= 0) return end + 4;
    if (available >= maxBytes) return -1;
    if (available < size) return undefined;
  }
}

/**
 * Header lines after the first, of WARC and HTTP alike; a line that begins with white space continues the one before.
 */
export function parseFields(header: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of header
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** Move to the next byte that isn't a line end; false at the segment's end. */
async function skipBlankLines(input: SegmentReader): Promise<boolean> {
  for (;;) {
    if ((await input.fill(1)) === 0) return false;
    const { window } = input;
    let blank = 0;
    while (window[blank] === 0x0d || window[blank] === 0x0a) blank++;
    input.skip(blank);
    if (blank < window.length) return true;
  }
}

/** A file that does not begin like WARC fails immediately and clearly, rather than as a thousand bad records. */
async function requireWarc(input: SegmentReader, name: string): Promise<void> {
  await input.fill(512);
  const head = input.window.toString('latin1', 0, 512).trimStart();
  if (head.startsWith('WARC/') || (head === '' && input.damage !== undefined)) return;
  if (head === '') fail('not-warc', `${name} is empty`, 'Download it again.');
  const shown = JSON.stringify(head.slice(0, 40));
  if (/^<(?:!doctype|html|\?xml)/i.test(head))
    fail(
      'not-warc',
      `${name} is a web page, not a WARC file: it begins with ${shown}`,
      'The server probably answered with an error page; check the URL and download it again.',
    );
  if (/^(?:crawl-data\/|https?:|s3:)\S+\.gz/.test(head))
    fail(
      'not-warc',
      `${name} is a list of paths, not a WARC file: it begins with ${shown}`,
      'Name it *.paths or *.paths.gz to read the files that it lists.',
    );
  fail(
    'not-warc',
    `${name} is not a WARC file: it begins with ${shown}`,
    'Use .warc, .warc.gz, .wet or .wet.gz files.',
  );
}
