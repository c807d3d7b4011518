import type { Diagnostic } from './diagnostic.ts';

/** The message for an error that means that a disk or quota is full; `undefined` for any other. */
export function noSpace(error: unknown): Diagnostic | undefined {
  const { code, path } = (error ?? {}) as { readonly code?: unknown; readonly path?: unknown };
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return undefined;
  return {
    code: 'no-space',
    message: `No space is left on the disk${typeof path === 'string' ? ` for ${path}` : ''}.`,
    help: 'Free some space and run again; finished work is kept.',
  };
}
