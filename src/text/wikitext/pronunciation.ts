import type { Arguments } from './arguments.ts';

/** Words in `{{IPAc-en}}` that are labels or switches instead of sounds. */
const LABELS = new Set(
  'lang local ipa pron also uk us both uklang uslang ukalso usalso en au cau ca ie in nz sc za wls n/a'.split(' '),
);
/** What `{{IPAc-en}}` writes for the signs that are hard to type. */
const SOUNDS = new Map([
  ["'", 'ˈ'],
  [',', 'ˌ'],
  [':', 'ː'],
  ['_', ' '],
  ['-', ''],
]);

/** `{{IPAc-en|ˈ|æ|s|k|i}}` as "/ˈæski/". */
export function renderEnglishSounds({ positional }: Arguments): string {
  const sounds = positional
    .filter((part) => part !== '' && !LABELS.has(part.toLowerCase()))
    .map((part) => SOUNDS.get(part) ?? part);
  return sounds.length === 0 ? '' : `/${sounds.join('')}/`;
}

/** `{{IPA|/a/}}`, `{{IPA|fr|a}}` and `{{IPA-fr|a|lang}}`: the sounds, in square brackets unless they have some. */
export function renderSounds(args: Arguments): string {
  const isByLanguage =
    args.name === 'ipa' && args.positional.length > 1 && /^[a-z]{2,3}(?:-[A-Za-z-]{1,12})?$/.test(args.get(1));
  const sounds = args.get(isByLanguage ? 2 : 1).trim();
  return sounds === '' || (args.name === 'ipa' && !isByLanguage) || /^[[/]/.test(sounds) ? sounds : `[${sounds}]`;
}

/** `{{respell|AZ|ər-by|JAHN}}` as "AZ-ər-by-JAHN". */
export function renderRespelling({ positional }: Arguments): string {
  return positional.filter((part) => /\p{L}/u.test(part)).join('-');
}
