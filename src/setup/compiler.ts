import type { Diagnostic } from '../core/diagnostic.ts';
import { err, ok, type Result } from '../core/result.ts';
import { lastLines, runCommand } from './command.ts';
import { installCommand } from './distribution.ts';

/** The version of a C++ compiler, if one has that name. */
export async function findCompiler(compiler: string, signal: AbortSignal): Promise<Result<string, Diagnostic>> {
  const { code, stdout, output, missing } = await runCommand(compiler, ['-dumpfullversion', '-dumpversion'], {
    signal,
  });
  if (code === 0) return ok(`${compiler} ${stdout.trim().split('\n')[0] ?? ''}`);
  return err({
    code: 'compiler-missing',
    message: missing
      ? `The C++ compiler ${compiler} was not found; setup compiles a bridge to the library.`
      : `The C++ compiler ${compiler} does not work: ${lastLines(output, 3)}`,
    help:
      `Install one with \`${installCommand('compiler')}\`, or name yours in the environment variable CXX; then run ` +
      'setup again.',
  });
}

/** Compile and link; an error includes the compiler's output. */
export async function compileWith(
  compiler: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Result<void, Diagnostic>> {
  const { code, output } = await runCommand(compiler, args, { signal });
  if (code === 0) return ok(undefined);
  return err({
    code: 'bridge-not-compiled',
    message: `${compiler} could not compile the bridge:\n${
      output
        .split('\n')
        .filter((line) => /error|undefined reference|cannot find/.test(line))
        .slice(0, 10)
        .join('\n') || lastLines(output)
    }`,
    help: 'A C++17 compiler is needed (g++ 9 or newer); name another one in the environment variable CXX.',
  });
}
