import { readFileSync } from 'node:fs';
import { fail } from '../../core/diagnostic.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The JSON object of a file, or a sentence without a full stop that describes the problem. */
export function readJson(path: string): { readonly value: Json } | { readonly problem: string } {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(value) ? { value } : { problem: `${path} is not a JSON object` };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { problem: `${path} cannot be read as JSON` };
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function unsupported(message: string, help: string): never {
  fail('unsupported-tokenizer', message, help);
}
