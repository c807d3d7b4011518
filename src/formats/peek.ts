interface Peeked {
  readonly head: Uint8Array;
  readonly all: AsyncGenerator<Uint8Array>;
  readonly close: () => Promise<void>;
}

/**
 * The first bytes of a stream, and the whole stream again. `head` is shorter than `count` only when the stream is.
 * `close` ends the stream; it is needed where `all` is not read, because a generator that never began closes nothing.
 */
export async function peekBytes(chunks: AsyncIterable<Uint8Array>, count: number): Promise<Peeked> {
  const iterator = chunks[Symbol.asyncIterator]();
  let read: Uint8Array = new Uint8Array(0);
  while (read.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    read = read.length === 0 ? next.value : Buffer.concat([read, next.value]);
  }
  return {
    head: read.subarray(0, count),
    all: replay(read, iterator),
    close: async () => void (await iterator.return?.()),
  };
}

async function* replay(read: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (read.length > 0) yield read;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
