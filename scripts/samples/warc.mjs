import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** SHA-1 in base 32, and record ids, as WARC writes them (ISO 28500). */
function sha1(bytes) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const byte of createHash('sha1').update(bytes).digest()) bits += byte.toString(2).padStart(8, '0');
  return `sha1:${bits
    .match(/.{5}/g)
    .map((five) => alphabet[parseInt(five, 2)])
    .join('')}`;
}

function recordId(words) {
  const hex = createHash('sha256').update(words).digest('hex');
  return `<urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}>`;
}

/** One gzip member: a record whose `Content-Length` is the length of its block. */
function record(type, headers, block) {
  const fields = { 'WARC-Type': type, ...headers, 'WARC-Block-Digest': sha1(block), 'Content-Length': block.length };
  const head = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${value}\r\n`)
    .join('');
  return gzipSync(Buffer.concat([Buffer.from(`WARC/1.0\r\n${head}\r\n`), block, Buffer.from('\r\n\r\n')]), {
    level: 9,
  });
}

const info = (crawl, file, date) =>
  record(
    'warcinfo',
    {
      'WARC-Date': date,
      'WARC-Record-ID': recordId(file),
      'WARC-Filename': file,
      'Content-Type': 'application/warc-fields',
    },
    Buffer.from(
      `isPartOf: ${crawl}\r\npublisher: make-samples\r\ndescription: A crawl of a vale that does not ` +
        `exist\r\nsoftware: scripts/make-samples.mjs\r\nrobots: none\r\nformat: WARC File Format 1.0\r\n`,
    ),
  );

/** A WARC of fetched pages `{ url, status, headers, body, lang }`: request, response and metadata records of each. */
export function warc(crawl, file, date, pages) {
  const members = pages.flatMap(({ url, status = '200 OK', headers, body, lang }, i) => {
    const id = (type) => recordId(`${file} ${i} ${type}`);
    const { host, pathname } = new URL(url);
    const fields = Object.entries({ ...headers, 'Content-Length': body.length })
      .map(([key, value]) => `${key}: ${value}\r\n`)
      .join('');
    const shared = { 'WARC-Target-URI': url, 'WARC-Date': date, 'WARC-Warcinfo-ID': recordId(file) };
    return [
      record(
        'request',
        {
          ...shared,
          'WARC-Record-ID': id('request'),
          'WARC-IP-Address': '192.0.2.7',
          'Content-Type': 'application/http; msgtype=request',
        },
        Buffer.from(
          `GET ${pathname} HTTP/1.1\r\nUser-Agent: make-samples\r\nAccept: text/html\r\nHost: ${host}\r\n\r\n`,
        ),
      ),
      record(
        'response',
        {
          ...shared,
          'WARC-Record-ID': id('response'),
          'WARC-IP-Address': '192.0.2.7',
          'WARC-Concurrent-To': id('request'),
          'WARC-Payload-Digest': sha1(body),
          'WARC-Identified-Payload-Type': String(headers['Content-Type']).split(';')[0],
          'Content-Type': 'application/http; msgtype=response',
        },
        Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${fields}\r\n`), body]),
      ),
      record(
        'metadata',
        {
          ...shared,
          'WARC-Record-ID': id('metadata'),
          'WARC-Concurrent-To': id('response'),
          'Content-Type': 'application/warc-fields',
        },
        Buffer.from(
          `fetchTimeMs: ${40 + i}\r\nlanguages-cld2: {"reliable":true,"languages":[{"code":"${lang ?? 'en'}"}]}\r\n`,
        ),
      ),
    ];
  });
  return Buffer.concat([info(crawl, file, date), ...members]);
}

/** A WET: one `conversion` record of plain text per page, `{ url, text, lang }`. */
export function wet(crawl, file, date, pages) {
  const members = pages.map(({ url, text, lang }, i) =>
    record(
      'conversion',
      {
        'WARC-Target-URI': url,
        'WARC-Date': date,
        'WARC-Record-ID': recordId(`${file} ${i}`),
        'WARC-Refers-To': recordId(`${file} ${i} response`),
        'WARC-Identified-Content-Language': lang ?? 'eng',
        'Content-Type': 'text/plain',
      },
      Buffer.from(text),
    ),
  );
  return Buffer.concat([info(crawl, file, date), ...members]);
}
