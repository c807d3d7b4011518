import { readFileSync } from 'node:fs';
import { canonicalJson, type ActionKey } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import type { ActionRecord } from '../plan/action-cache.ts';

/** A record as the JSON object `{"checksum": …, "record": …}`, the checksum over the record's bytes in the file. */
export function serializeRecord(record: ActionRecord): string {
  const body = canonicalJson(record);
  return `${prefix}${sha256(body)}${middle}${body}}\n`;
}

/** The record in a file; `undefined` if it is missing, truncated, altered or of another action. */
export function readRecord(path: string, key: ActionKey): ActionRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const start = prefix.length + 64 + middle.length;
  if (!text.startsWith(prefix) || !text.endsWith('}\n') || text.slice(prefix.length + 64, start) !== middle)
    return undefined;
  const body = text.slice(start, -2);
  if (sha256(body) !== text.slice(prefix.length, prefix.length + 64)) return undefined;
  const record = JSON.parse(body) as ActionRecord;
  return record.v === 1 && record.key === key ? record : undefined;
}

const prefix = '{"checksum":"';
const middle = '","record":';
