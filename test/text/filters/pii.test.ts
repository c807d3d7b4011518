import { describe, expect, it } from 'vitest';
import { replacePii } from '../../../src/text/filters/pii.ts';

const placeholders = { email: '<email>', ip_address: '<ip>', phone_number: '<phone>' };

describe('replacePii', () => {
  it.each([
    ['e-mail addresses', 'Write to a.b-c+d@mail.example.co.uk, or (x@y.org).', 'Write to <email>, or (<email>).'],
    ['what is no e-mail address', 'a @ b.c, user@host, @name, a@b@c.com, 5@3.2', undefined],
    ['public addresses', 'from 8.8.8.8 and 2001:4860:4860::8888.', 'from <ip> and <ip>.'],
    [
      'private and impossible addresses, versions and times',
      '10.0.0.1 192.168.1.1 127.0.0.1 300.1.1.1 1.2.3.4.5 v1.2.3.4 fe80::1 at 12:30:45',
      undefined,
    ],
    ['numbers with a country code', 'Call +49 (0)30 901820 or +86-138-1234-5678.', 'Call <phone> or <phone>.'],
    ['North American numbers', '(555) 234-5678, 555-234-5678 and 555.234.5678', '<phone>, <phone> and <phone>'],
    ['Chinese mobile numbers', '请拨13812345678联系', '请拨<phone>联系'],
    [
      'dates, prices, scores and identifiers',
      '2026-11-01, 1999-2004, $1,234.50, 3-2, +12, ISBN 978-3-16-148410-0, 555-1234, 123-45-6789, 10+2345',
      undefined,
    ],
  ])('%s', (_, text, expected) => expect(replacePii(text, placeholders).text).toBe(expected ?? text));

  it('leaves in what has no placeholder, counts the rest, and changes nothing the second time', () => {
    const once = replacePii('a@b.org 8.8.8.8', { ...placeholders, ip_address: '' });
    expect(once).toEqual({ text: '<email> 8.8.8.8', counts: { email: 1, ip_address: 0, phone_number: 0 } });
    const asInSchema = { email: 'email@example.com', ip_address: '192.0.2.1', phone_number: '+1 555 0100' };
    const { text } = replacePii('a@b.org 8.8.8.8 (555) 234-5678', asInSchema);
    expect(replacePii(text, asInSchema)).toEqual({ text, counts: { email: 0, ip_address: 0, phone_number: 0 } });
  });

  it.each([
    ['letters', 'a'],
    ['dots', 'a.'],
    ['at signs', 'a@'],
    ['hyphens in a domain', 'a@b-'],
    ['digits', '1'],
    ['spaced digits', '12 '],
    ['colons', 'a:'],
    ['plus signs', '+1 '],
  ])(
    'takes linear time over a long run: %s',
    (_, unit) => {
      expect(replacePii(unit.repeat(300_000), placeholders).counts.email).toBe(0);
    },
    15_000,
  );
});
