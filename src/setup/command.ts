import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';

/** How a command ended. `code` is null when a signal ended it, or when there is no such command. */
export interface CommandEnd {
  readonly code: number | null;
  /** No such file, or not one that can be executed. */
  readonly missing: boolean;
  readonly stdout: string;
  /** Both streams, in the order in which they came. */
  readonly output: string;
}

/** Run a command to its end; never rejects. It is ended with the signal. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly signal: AbortSignal; readonly cwd?: string },
): Promise<CommandEnd> {
  // Any number of commands may run side by side.
  setMaxListeners(0, options.signal);
  return new Promise((resolve) => {
    let stdout = '';
    let output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.name !== 'AbortError')
        resolve({ code: null, missing: true, stdout, output: `${output}${error.message}` });
    });
    child.once('close', (code) => {
      resolve({ code, missing: false, stdout, output });
    });
  });
}

/** The last lines of what a command said, for a message. */
export function lastLines(output: string, count = 8): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
