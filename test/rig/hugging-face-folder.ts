import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RobertaConfig } from '../../src/model/config.ts';
import { writeModel } from '../../src/model/hf.ts';
import { parameterSpecs, type Head } from '../../src/model/parameters.ts';
import { readSafetensors, type HostTensor } from '../../src/model/safetensors.ts';
import { fillNormal, key32 } from '../../src/ops/random.ts';

export const tinyConfig: RobertaConfig = {
  vocab_size: 384,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 34,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};

/**
 * Weights, biases and gains that all differ, so that a mistake in any of them shows. By default, sums over the width
 * keep their size.
 */
export function loudValues(
  config: RobertaConfig,
  head: Head,
  deviation = 1.4 / Math.sqrt(config.hidden_size),
): Map<string, Float32Array> {
  return new Map(
    parameterSpecs(config, head).map(({ name, shape, init }): [string, Float32Array] => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      fillNormal(data, key32('loud', name), deviation);
      return [name, init === 'ones' ? data.map((value) => value + 1) : data];
    }),
  );
}

/** A folder as others may have written it: tensors in any type and under any name, and any `config.json`. */
export class HuggingFaceFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'hf-'));
  readonly tensors: Map<string, HostTensor>;
  config: Record<string, unknown>;

  constructor(head: Head = { kind: 'masked-lm' }, config: RobertaConfig = tinyConfig, tokenizerFolder = '/nowhere') {
    writeModel(
      this.path,
      {
        config,
        head,
        labels: head.kind === 'classification' ? Array.from({ length: head.labels }, (_, id) => `class ${id}`) : [],
        values: loudValues(config, head),
      },
      tokenizerFolder,
    );
    this.tensors = readSafetensors(join(this.path, 'model.safetensors'));
    this.config = JSON.parse(readFileSync(join(this.path, 'config.json'), 'utf8')) as Record<string, unknown>;
  }

  tensor(name: string): HostTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new TypeError(`no tensor ${name}`);
    return tensor;
  }

  rename(name: string, to: string): void {
    this.tensors.set(to, this.tensor(name));
    this.tensors.delete(name);
  }

  /**
   * Write what was changed; `dtypes` of tensors that are not float32, and `shards` when there are to be several files.
   */
  write({
    dtypes = {},
    everywhere = 'F32',
    shards = 1,
  }: { dtypes?: Readonly<Record<string, string>>; everywhere?: string; shards?: number } = {}): this {
    writeFileSync(join(this.path, 'config.json'), JSON.stringify(this.config));
    rmSync(join(this.path, 'model.safetensors'), { force: true });
    const names = [...this.tensors.keys()];
    const weight_map: Record<string, string> = {};
    for (let shard = 0; shard < shards; shard++) {
      const file = shards === 1 ? 'model.safetensors' : `model-0000${shard + 1}-of-0000${shards}.safetensors`;
      const mine = names.filter((_, index) => index % shards === shard);
      for (const name of mine) weight_map[name] = file;
      writeFileSync(
        join(this.path, file),
        safetensors(mine.map((name) => ({ name, dtype: dtypes[name] ?? everywhere, ...this.tensor(name) }))),
      );
    }
    if (shards > 1)
      writeFileSync(join(this.path, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
    return this;
  }
}

/** Written by hand, because ours writes float32 only. */
function safetensors(tensors: readonly (HostTensor & { readonly name: string; readonly dtype: string })[]): Buffer {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const { name, dtype, shape, data } of tensors) {
    const bytes = encoded(data, dtype);
    header[name] = { dtype, shape, data_offsets: [offset, (offset += bytes.length)] };
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

function encoded(data: Float32Array, dtype: string): Buffer {
  if (dtype === 'F32') return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === 'I64') return Buffer.from(BigInt64Array.from(data, (value) => BigInt(Math.round(value))).buffer);
  if (dtype === 'I8') return Buffer.from(Int8Array.from(data));
  // Cut off rather than rounded; values that have more bits than the type lose them.
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  if (dtype === 'BF16') return Buffer.from(Uint16Array.from(bits, (value) => value >>> 16).buffer);
  if (dtype === 'F16') return Buffer.from(Uint16Array.from(bits, halfBits).buffer);
  throw new TypeError(`no ${dtype}`);
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) throw new RangeError('too large for a half');
  return exponent > 0
    ? sign | (exponent << 10) | (fraction >>> 13)
    : sign | (exponent < -10 ? 0 : (fraction | 0x800000) >>> (14 - exponent));
}
