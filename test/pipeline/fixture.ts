import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BackendChoice } from '../../src/core/backend.ts';
import { Failure, type Diagnostic } from '../../src/core/diagnostic.ts';
import type { Catalogue, Pipeline, StageDescription } from '../../src/core/pipeline.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { Port } from '../../src/core/stage.ts';
import { loadPipeline } from '../../src/pipeline/load-pipeline.ts';

export const contracts = new URL('../../schemas/contracts', import.meta.url).pathname;

const port = (contract: string, more: Partial<Port> = {}): Port => ({
  contract,
  description: `${contract} of it`,
  ...more,
});
const object = (properties: Record<string, object>, required: string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

/** Stage types in miniature: enough ports and properties to be wrong about. */
export const types: Record<string, Pick<StageDescription, 'inputs' | 'outputs' | 'config' | 'map' | 'composition'>> = {
  ingest: {
    inputs: {},
    outputs: { documents: port('documents') },
    config: object(
      {
        path: { type: ['string', 'array'], items: { type: 'string' }, 'x-source': true, description: 'what to read' },
        snapshot: { type: 'string', default: '' },
      },
      ['path'],
    ),
  },
  clean: {
    inputs: { documents: port('documents') },
    outputs: { documents: port('documents'), rejects: port('rejects', { optional: true }) },
    config: object({
      languages: {
        type: 'array',
        items: { type: 'string', enum: ['bn', 'cs', 'en', 'ja', 'uk', 'zh'], 'x-language': true },
        default: ['en'],
      },
      min_words: { type: 'integer', minimum: 1, default: 50, description: 'Shortest document that is kept, in words.' },
    }),
  },
  'deduplicate/sign': {
    map: { ports: ['documents'] },
    inputs: { documents: port('documents', { many: true }) },
    outputs: { signatures: port('signatures') },
    config: object({ method: { enum: ['exact', 'minhash'] } }, ['method']),
  },
  'deduplicate/compare': {
    inputs: { documents: port('documents', { many: true }), signatures: port('signatures') },
    outputs: { duplicates: port('duplicates') },
    config: object({ within: { enum: ['all', 'snapshot'] }, seed: { type: 'integer', 'x-inherits': 'seed' } }),
  },
  'deduplicate/drop': {
    map: { ports: ['documents', 'duplicates'] },
    inputs: {
      documents: port('documents', { many: true }),
      duplicates: port('duplicates'),
      reasons: port('duplicates', { optional: true }),
    },
    outputs: { documents: port('documents') },
    config: object({}),
  },
  deduplicate: {
    inputs: { documents: port('documents', { many: true }), more: port('documents', { optional: true }) },
    outputs: {
      documents: port('documents'),
      duplicates: port('duplicates', { optional: true, when: "config.within == 'snapshot'" }),
    },
    config: object({
      method: { enum: ['exact', 'minhash'], default: 'exact' },
      within: { enum: ['all', 'snapshot'], default: 'all' },
      limit: { type: 'integer' },
    }),
    composition: {
      stages: {
        signed: {
          uses: 'deduplicate/sign',
          inputs: { documents: ['${{ inputs.documents }}', '${{ inputs.more }}'] },
          with: { method: '${{ config.method }}' },
        },
        compared: {
          uses: 'deduplicate/compare',
          inputs: { documents: '${{ inputs.documents }}', signatures: 'signed' },
          with: { within: '${{ config.within }}', seed: '${{ config.limit }}' },
        },
        reasons: {
          uses: 'deduplicate/compare',
          when: "config.method == 'minhash'",
          inputs: { documents: '${{ inputs.documents }}', signatures: 'signed' },
        },
        kept: {
          uses: 'deduplicate/drop',
          inputs: { documents: '${{ inputs.documents }}', duplicates: 'compared', reasons: 'reasons' },
        },
      },
      from: { documents: ['kept.documents'], duplicates: ['compared'] },
    },
  },
  refresh: {
    inputs: { documents: port('documents', { many: true }) },
    outputs: { documents: port('documents') },
    config: object({ window: { type: 'integer', default: 2 }, round: { type: 'integer', 'x-inherits': 'round' } }),
  },
  'train-tokenizer': {
    inputs: { documents: port('documents', { many: true }) },
    outputs: { tokenizer: port('tokenizer') },
    config: object({ vocab_size: { type: 'integer', default: 4096 } }),
  },
  tokenize: {
    inputs: { documents: port('documents'), tokenizer: port('tokenizer') },
    outputs: { sequences: port('sequences') },
    config: object({
      max_length: { type: 'integer', minimum: 8, default: 128 },
      packing: { enum: ['full-sentences', 'doc-sentences'], default: 'full-sentences' },
    }),
  },
  mask: {
    inputs: { sequences: port('sequences') },
    outputs: { masked: port('masked') },
    config: object({ rate: { type: 'number', default: 0.15 }, seed: { type: 'integer', 'x-inherits': 'seed' } }),
  },
  pretrain: {
    inputs: { masked: port('masked'), init: port('model', { optional: true }) },
    outputs: { model: port('model') },
    config: object({
      hidden_size: { type: 'integer', default: 64 },
      num_attention_heads: { type: 'integer', default: 2 },
      peak_lr: { type: 'number', default: 0.0005 },
      seed: { type: 'integer', 'x-inherits': 'seed' },
      backend: { type: 'string', default: 'auto', 'x-inherits': 'backend' },
    }),
  },
  'import-tokenizer': {
    inputs: {},
    outputs: { tokenizer: port('tokenizer') },
    config: object({ path: { type: 'string', 'x-source': true, 'x-imports': 'tokenizer' } }, ['path']),
  },
  'import-model': {
    inputs: {},
    outputs: { model: port('model'), tokenizer: port('tokenizer', { optional: true }) },
    config: object({ path: { type: 'string', 'x-source': true, 'x-imports': 'model' } }, ['path']),
  },
  evaluate: {
    inputs: { model: port('model'), masked: port('masked') },
    outputs: { report: port('files') },
    config: object({}),
  },
};

const describe = (type: string): StageDescription => ({
  type,
  description: type,
  implementation: 'version 1',
  module: `/stages/${type}.js`,
  ...(type === 'pretrain' ? { checkModule: '/stages/pretrain/check.js' } : {}),
  ...types[type]!,
});

export const catalogue: Catalogue = {
  list: () =>
    Object.keys(types)
      .filter((name) => !name.includes('/'))
      .map(describe),
  async describe(uses) {
    return types[uses] === undefined
      ? err({ code: 'stage-not-found', message: `there is no file ${uses}` })
      : ok(describe(uses));
  },
  async check(description, config) {
    const { hidden_size: hidden, num_attention_heads: heads } = config as {
      hidden_size: number;
      num_attention_heads: number;
    };
    return description.type === 'pretrain' && hidden % heads !== 0
      ? [{ property: 'num_attention_heads', message: `${heads} attention heads do not divide hidden_size ${hidden}` }]
      : [];
  },
};

/** Load a pipeline of one or several files in a fresh folder; the first is the pipeline. */
export async function load(
  files: string | Record<string, string>,
  set: readonly string[] = [],
): Promise<Result<Pipeline, readonly Diagnostic[]> & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-'));
  const all = typeof files === 'string' ? { 'pipeline.yaml': files } : files;
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const resolveBackend = (name: string, gpus: number | undefined): BackendChoice => {
    if (name === 'torch')
      throw new Failure({
        code: 'backend-missing',
        message: 'torch is not installed',
        help: 'run-pipeline setup torch',
      });
    if (name === 'tensorflow')
      return { name, version: '2', device: gpus === 0 ? 'cpu' : 'cuda', precisions: ['fp32'], reason: 'a fixture' };
    return { name: 'wasm', version: '1', device: 'cpu', precisions: ['fp32'], reason: 'a fixture' };
  };
  const result = await loadPipeline({
    file: join(folder, Object.keys(all)[0] ?? ''),
    set,
    catalogue,
    contracts,
    resolveBackend,
  });
  return { ...result, folder };
}

/** Load what must be right. */
export async function loaded(
  files: string | Record<string, string>,
  set: readonly string[] = [],
): Promise<Pipeline & { folder: string }> {
  const result = await load(files, set);
  if (!result.ok)
    throw new Error(
      result.error.map((each) => `${each.location?.line}:${each.location?.column} ${each.message}`).join('\n'),
    );
  return { ...result.value, folder: result.folder };
}

/** Problems as `code line:column message (help)`, for tables. */
export async function problemsOf(
  files: string | Record<string, string>,
  set: readonly string[] = [],
): Promise<readonly string[]> {
  const result = await load(files, set);
  return result.ok
    ? []
    : result.error.map(
        ({ code, message, location, help }) =>
          `${code} ${location === undefined ? '-' : `${location.line}:${location.column}`} ` +
          `${message}${help === undefined ? '' : ` (${help})`}`,
      );
}
