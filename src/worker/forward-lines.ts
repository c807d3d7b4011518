import type { Readable } from 'node:stream';

const longest = 65_536;

/** Forwards whole lines as they arrive; a last one without a line end is forwarded when the stream ends. */
export function forwardLines(stream: Readable | null, onLine: (text: string) => void): void {
  if (stream === null) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > longest) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => {});
}
