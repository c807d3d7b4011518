import { fail } from '../core/diagnostic.ts';

/** A line of a JSON Lines file; `value` is `undefined` when the line is not a JSON object. */
export interface JsonLine {
  /** From 1. */
  readonly line: number;
  readonly bytes: number;
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Read a JSON Lines file (https://jsonlines.org), one line in memory at a time; blank lines are skipped. Fails when the
 * first line is not a JSON object or a line is longer than `maxBytes`.
 */
export async function* readJsonLines(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number,
): AsyncGenerator<JsonLine> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let line = 0;
  let good = 0;
  function* end(): Generator<JsonLine> {
    const text = Buffer.concat(parts).toString('utf8');
    const read = bytes;
    parts = [];
    bytes = 0;
    line++;
    const trimmed = line === 1 ? text.replace(/^\ufeff/, '').trim() : text.trim();
    if (trimmed === '') return;
    const value = parseObject(trimmed);
    if (value !== undefined) good++;
    else if (good === 0)
      fail(
        'not-json-lines',
        `${name}: line ${line} is not a JSON object: ${JSON.stringify(trimmed.slice(0, 60))}`,
        'Write one JSON object per line.',
      );
    yield { line, bytes: read, value };
  }
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      bytes += at - from;
      from = at + 1;
      yield* end();
    }
    parts.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > maxBytes)
      fail(
        'file-too-large',
        `${name}: line ${line + 1} has more than ${maxBytes} bytes`,
        'Write one JSON object per line.',
      );
  }
  if (bytes > 0) yield* end();
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
