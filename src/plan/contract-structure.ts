import { readFileSync, statSync } from 'node:fs';
import { canonicalJson, type Digest } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly nullable?: boolean;
  readonly optional?: boolean;
}

interface ContractFile {
  readonly kind: string;
  readonly fields?: readonly Field[];
  readonly meta?: readonly (Field & { readonly from?: string })[];
  readonly shard_size?: unknown;
  readonly files?: readonly string[];
}

const known = new Map<string, { readonly identity: string; readonly digest: Digest }>();

/**
 * The digest of what a contract promises: its kind, its fields, the meta fields of its shards and its files.
 * Descriptions are not in it, so that rewording one re-runs nothing. Throws if the file cannot be read.
 */
export function contractDigest(file: string): Digest {
  const { mtimeMs, size } = statSync(file);
  const identity = `${mtimeMs} ${size}`;
  const memo = known.get(file);
  if (memo?.identity === identity) return memo.digest;
  const { kind, fields, meta, shard_size, files } = JSON.parse(readFileSync(file, 'utf8')) as ContractFile;
  const digest = sha256(
    canonicalJson({
      kind,
      fields: fields?.map(promiseOf),
      meta: meta?.map((field) => ({ ...promiseOf(field), from: field.from })),
      shard_size,
      files,
    }),
  );
  known.set(file, { identity, digest });
  return digest;
}

const promiseOf = ({ name, type, nullable = false, optional = false }: Field): Field => ({
  name,
  type,
  nullable,
  optional,
});
