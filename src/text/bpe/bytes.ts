/**
 * GPT-2's spelling of bytes as printable characters, so that a vocabulary is readable text: printable Latin-1 stands
 * for itself, every other byte for a character from U+0100 on. A space is `Ġ`, a newline `Ċ`.
 */
export const byteToChar: readonly string[] = spellBytes();

/** The 256 byte characters in the order in which they get ids: by code point. */
export const alphabet: readonly string[] = [...byteToChar].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0));

const charToByte = new Map(byteToChar.map((char, byte) => [char.charCodeAt(0), byte]));

/**
 * The bytes that a token's spelling stands for, or `undefined` when it has a character that does not stand for a byte.
 */
export function spellingToBytes(spelling: string): Uint8Array | undefined {
  const bytes = new Uint8Array(spelling.length);
  for (let i = 0; i < spelling.length; i++) {
    const byte = charToByte.get(spelling.charCodeAt(i));
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

function spellBytes(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}
