import { expect, it } from 'vitest';
import { peekBytes } from '../../src/formats/peek.ts';

/** Three chunks of two bytes, and whether they were closed. */
function source() {
  const state = { isClosed: false };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (const start of [0, 2, 4]) yield Uint8Array.of(start, start + 1);
    } finally {
      state.isClosed = true;
    }
  }
  return { state, chunks: chunks() };
}

it('gives the first bytes, and all of them again', async () => {
  const { state, chunks } = source();
  const { head, all } = await peekBytes(chunks, 3);
  expect([...head]).toEqual([0, 1, 2]);
  const bytes: number[] = [];
  for await (const chunk of all) bytes.push(...chunk);
  expect(bytes).toEqual([0, 1, 2, 3, 4, 5]);
  expect(state.isClosed).toBe(true);
});

it('closes a source of which only the first bytes were read', async () => {
  const { state, chunks } = source();
  const { close } = await peekBytes(chunks, 3);
  expect(state.isClosed).toBe(false);
  await close();
  expect(state.isClosed).toBe(true);
});
