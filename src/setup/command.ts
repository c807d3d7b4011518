import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';

/** The result of a command. `code` is null if a signal ended it or the command does not exist. */
export interface CommandEnd {
  readonly code: number | null;
  /** The file does not exist or is not executable. */
  readonly missing: boolean;
  readonly stdout: string;
  /** Both streams, in order of arrival. */
  readonly output: string;
}

/** Run a command to its end; never rejects. The signal stops it. */
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

/** The last lines of a command's output, for a message. */
export function lastLines(output: string, count = 8): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
