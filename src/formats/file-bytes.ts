import { createReadStream } from 'node:fs';

/** The bytes of a local file, not decompressed. */
export async function* readFileBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, {
    highWaterMark: 1 << 18,
    ...(signal === undefined ? {} : { signal }),
  }))
    yield chunk as Uint8Array;
}
