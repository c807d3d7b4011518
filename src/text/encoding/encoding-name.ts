/** The WHATWG Encoding Standard's name for a label, if there is one: `gbk` for GB2312. */
export function encodingNamed(label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
