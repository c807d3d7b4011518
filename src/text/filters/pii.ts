import { isIPv6 } from 'node:net';

/** Placeholders for personal data; a kind whose placeholder is empty is not replaced. */
export interface PiiPlaceholders {
  readonly email: string;
  readonly ip_address: string;
  readonly phone_number: string;
}

export type PiiKind = keyof PiiPlaceholders;

interface Pattern {
  readonly kind: PiiKind;
  readonly pattern: RegExp;
  readonly isMeant: (match: string) => boolean;
  /** Something that every match contains and few texts do, for patterns that are slow to search for. */
  readonly sign?: RegExp;
}

// Each begins only where the previous character could not belong to it, and has bounded parts, so a long run of its
// characters takes linear time.
const patterns: readonly Pattern[] = [
  {
    kind: 'email',
    sign: /@/,
    pattern:
      /(?<![\w@.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,8}[a-z]{2,24}(?![\w@])/giu,
    isMeant: () => true,
  },
  { kind: 'ip_address', pattern: /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)/gu, isMeant: isPublicIPv4 },
  {
    kind: 'ip_address',
    sign: /:[\da-f]{0,4}:/i,
    pattern: /(?<![\w:.])(?:[\da-f]{0,4}:){2,7}[\da-f]{1,4}(?![\w:])/giu,
    isMeant: isPublicIPv6,
  },
  {
    kind: 'phone_number',
    pattern: /(?<![\w+.-])\+\d{1,3}(?:[ .-]?\(\d{1,4}\))?(?:[ .-]?\d{2,5}){2,5}(?!\w)/gu,
    isMeant: (match) => hasDigits(match, 8, 15),
  },
  {
    kind: 'phone_number',
    pattern: /(?<![\w+.-])(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)/gu,
    isMeant: () => true,
  },
  {
    kind: 'phone_number',
    pattern: /(?<![\w+.-])1[3-9]\d(?:\d{8}|[ -]\d{4}[ -]\d{4})(?![\w-]|\.\d)/gu,
    isMeant: () => true,
  },
];

/**
 * Replace e-mail addresses, public IP addresses (version 4 and 6) and telephone numbers with placeholders. Telephone
 * numbers are those with `+` and a country code, North American ones with the area code, and Chinese mobile numbers.
 * Other numbers cannot be distinguished from dates, prices and identifiers, so they stay.
 */
export function replacePii(
  text: string,
  placeholders: PiiPlaceholders,
): { readonly text: string; readonly counts: Readonly<Record<PiiKind, number>> } {
  const counts: Record<PiiKind, number> = { email: 0, ip_address: 0, phone_number: 0 };
  for (const { kind, pattern, isMeant, sign } of patterns) {
    const placeholder = placeholders[kind];
    if (placeholder === '' || sign?.test(text) === false) continue;
    text = text.replace(pattern, (match) => {
      if (match === placeholder || !isMeant(match)) return match;
      counts[kind]++;
      return placeholder;
    });
  }
  return { text, counts };
}

function isPublicIPv4(address: string): boolean {
  const parts = address.split('.').map(Number);
  const [a = 0, b = 0, c = 0] = parts;
  if (parts.some((part) => part > 255) || a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168)
  )
    return false;
  return !(
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) ||
    (a === 203 && b === 0 && c === 113)
  ); // protocols, benchmarks, documentation
}

function isPublicIPv6(address: string): boolean {
  return isIPv6(address) && /^[23]/.test(address) && !/^2001:0?db8:/i.test(address);
}

function hasDigits(text: string, least: number, most: number): boolean {
  const digits = text.replace(/\D/gu, '').length;
  return digits >= least && digits <= most;
}
