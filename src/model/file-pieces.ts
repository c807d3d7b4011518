import { readSync, writeSync } from 'node:fs';

/**
 * Number of bytes per read or write. Node is limited to less than 2 GiB per call, and per file read as a whole; a
 * checkpoint of a large model has more than 4 GiB.
 */
export const pieceBytes = 64 << 20;

/** Write all of an array at the file's position. */
export function writePieces(fd: number, bytes: NodeJS.ArrayBufferView, size = pieceBytes): void {
  for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, piece(bytes, done, size));
}

/** Fill an array with the bytes from a position on. Returns the number of bytes read: fewer at the end of the file. */
export function readPieces(fd: number, position: number, into: NodeJS.ArrayBufferView, size = pieceBytes): number {
  let done = 0;
  while (done < into.byteLength) {
    const read = readSync(fd, piece(into, done, size), { position: position + done });
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** A view of its own: one byte array over all of a large tensor could have more elements than an array may have. */
function piece({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView, from: number, size: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, Math.min(size, byteLength - from));
}
