import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { eastAsianWidth } from 'get-east-asian-width';
import picocolors from 'picocolors';
import type { Diagnostic, SourceLocation } from '../core/diagnostic.ts';

export interface CodeFrameOptions {
  readonly color: boolean;
  /** Folder that file names are shown relative to; default: absolute names. */
  readonly cwd?: string;
  /** Text of a file, or `undefined` if it cannot be shown. */
  readonly read?: (file: string) => string | undefined;
}

type Colors = ReturnType<typeof picocolors.createColors>;
const widest = 100;

/**
 * Diagnostics for people: code, location, message, the source lines with a caret, and help.
 * ```
 * error: unknown stage `tokens` [unknown-stage]
 *   --> pipelines/pretrain.yaml:7:31
 *    6 | stages:
 *    7 |   mask: { inputs: { sequences: tokens } }
 *      |                                ^^^^^^
 *   help: did you mean `tokenize`?
 * ```
 */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: CodeFrameOptions): string {
  const colors = picocolors.createColors(options.color);
  const texts = new Map<string, string | undefined>();
  const read = (file: string): string | undefined => {
    if (!texts.has(file)) texts.set(file, (options.read ?? readText)(file));
    return texts.get(file);
  };
  return diagnostics.map((diagnostic) => renderOne(diagnostic, read, colors, options)).join('\n\n');
}

function renderOne(
  diagnostic: Diagnostic,
  read: (file: string) => string | undefined,
  colors: Colors,
  options: CodeFrameOptions,
): string {
  const { location, help, code } = diagnostic;
  const severity = diagnostic.severity === 'warning' ? colors.yellow('warning') : colors.red('error');
  const where = [
    ...(diagnostic.stage !== undefined && !(location !== undefined && diagnostic.message.includes(diagnostic.stage))
      ? [`stage ${diagnostic.stage}`]
      : []),
    ...(diagnostic.shard === undefined ? [] : [`shard ${diagnostic.shard}`]),
  ];
  const head = `${severity}: ${where.length === 0 ? '' : `${printable(where.join(', '))}: `}`;
  const [message = '', ...details] = diagnostic.message.split('\n').map(printable);
  const lines = [`${head}${colors.bold(message)} ${colors.dim(`[${code}]`)}`];
  if (location !== undefined)
    lines.push(
      `  ${colors.dim('-->')} ${colors.cyan(placeOf(location, options.cwd))}`,
      ...frame(location, read, colors),
    );
  lines.push(...details);
  if (help !== undefined)
    lines.push(
      ...help
        .split('\n')
        .map((line, index) =>
          index === 0 ? `  ${colors.green('help')}: ${printable(line)}` : `        ${printable(line)}`,
        ),
    );
  return lines.join('\n');
}

/** `file:line:column`; for a `--set`, the argument itself, which is a single line. */
function placeOf({ file, line, column }: SourceLocation, cwd: string | undefined): string {
  if (isArgument(file)) return printable(file);
  const short = cwd === undefined ? file : relative(cwd, file);
  return `${printable(short.startsWith('../../..') ? file : short)}:${line}:${column}`;
}

/** The line, the one before it, and a caret below. */
function frame(
  { file, line, column, length }: SourceLocation,
  read: (file: string) => string | undefined,
  colors: Colors,
): string[] {
  const text = isArgument(file) ? file.slice(argumentPrefix.length) : read(file);
  const lines = text?.split(/\r?\n/) ?? [];
  const content = lines[line - 1];
  if (content === undefined) return [];
  const gutter = String(line).length;
  const number = (value: string) => colors.dim(`${value.padStart(gutter + 3)} |`);
  const before = line > 1 ? lines[line - 2] : undefined;
  const from = Math.max(0, column - 1 - Math.floor(widest / 2));
  const start = content.length <= widest ? 0 : from;
  const shown = content.slice(start, start + widest);
  const offset = Math.min(column - 1 - start, shown.length);
  const marked = shown.slice(offset, offset + length);
  const caret = ' '.repeat(columnsOf(shown.slice(0, offset))) + colors.red('^'.repeat(Math.max(1, columnsOf(marked))));
  return [
    ...(before === undefined || before.trim() === ''
      ? []
      : [`${number(String(line - 1))} ${printable(before.slice(start, start + widest))}`]),
    `${number(String(line))} ${printable(shown)}`,
    `${number('')} ${caret}`,
  ];
}

const argumentPrefix = '--set ';
const isArgument = (file: string): boolean => file.startsWith(argumentPrefix);

/**
 * Terminal columns of a text. Joined emoji are counted several times: string-width is more accurate, but takes 20 ms to
 * load on every start of the command line.
 */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of printable(text))
    if (!/\p{M}|\p{Cf}/u.test(character)) columns += eastAsianWidth(character.codePointAt(0)!);
  return columns;
}

/** Tabs become one space, and control characters are removed. */
function printable(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
