import type { Diagnostic } from '../core/diagnostic.ts';
import { renderDiagnostics } from '../reporting/code-frame.ts';

/** Exit codes of the command line, also in README.md. */
export const exitCodes = { ok: 0, stageFailed: 1, badInput: 2, damagedStore: 4, sigint: 130, sigterm: 143 } as const;

export const color =
  process.env['NO_COLOR'] === undefined && (process.stderr.isTTY || process.env['FORCE_COLOR'] !== undefined);

// `| head` closes the pipe: output no longer matters, but a run continues.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

export const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
export const printError = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
export const render = (diagnostic: Diagnostic): string =>
  renderDiagnostics([diagnostic], { color, cwd: process.cwd() });

/** Report problems and return the exit code. */
export function refuse(diagnostics: readonly Diagnostic[], json = false): number {
  if (json) for (const diagnostic of diagnostics) print(JSON.stringify({ v: 1, type: 'diagnostic', diagnostic }));
  else printError(renderDiagnostics(diagnostics, { color, cwd: process.cwd() }));
  return diagnostics.some((diagnostic) => diagnostic.code.startsWith('store-damaged'))
    ? exitCodes.damagedStore
    : exitCodes.badInput;
}
