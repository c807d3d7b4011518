import { expect } from 'vitest';
import type { CliResult } from './project.ts';

/** All that was said. */
export const said = ({ stdout, stderr }: CliResult): string => stdout + stderr;

/** Exit code, and all of the texts; a user's mistake never ends in a stack trace. */
export function expectFailure(result: CliResult, code: number, ...texts: readonly string[]): void {
  expect(result.code, said(result)).toBe(code);
  for (const text of texts) expect(said(result)).toContain(text);
  expect(said(result)).not.toMatch(/\n\s+at .*:\d+:\d+/);
}

/** A `run:` stage with one output, `out`. */
export const shell = (script: string, contract = 'files', more = ''): string =>
  `{ run: ${JSON.stringify(script)}, outputs: { out: { contract: ${contract} } }${more} }`;
/** A pipeline of stages in YAML. */
export const pipeline = (stages: Readonly<Record<string, string>>): string =>
  `name: p\nstages:\n${Object.entries(stages)
    .map(([name, stage]) => `  ${name}: ${stage}\n`)
    .join('')}`;
