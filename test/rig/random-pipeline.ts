import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import type { Pipeline } from '../../src/core/pipeline.ts';
import { loadPipeline } from '../../src/pipeline/load-pipeline.ts';
import { usePrebuilt } from '../../src/pipeline/schema.ts';
import { root } from './project.ts';
import { contracts } from './run-stage.ts';

/** Pipelines of five small stage types, with matrices, `map` stages and rounds; every port carries documents. */
export interface RandomPipeline {
  /** In an order in which each reads only stages before it. */
  readonly stages: readonly RandomStage[];
  readonly max: number;
  /** Rounds end when the stage of this number, among those repeated, counts as many rows; never without. */
  readonly until?: { readonly stage: number; readonly rows: number };
  /** Among those repeated: whose output of the round before which stage reads. */
  readonly carry: readonly { readonly to: number; readonly from: number }[];
}

export interface RandomStage {
  readonly type: (typeof types)[number];
  /** Numbers of stages to read. */
  readonly reads: readonly number[];
  /** Which of the files a stage without inputs reads. */
  readonly files: number;
  readonly add: number;
  readonly matrix: boolean;
  readonly repeated: boolean;
  /** The rounds that it is in, when it is repeated. */
  readonly rounds: readonly number[];
}

const types = ['read', 'read-each', 'join', 'each', 'tally'] as const;
const isSource = (type: RandomStage['type']): boolean => type === 'read' || type === 'read-each';

export const randomStage = fc.record<RandomStage>({
  type: fc.constantFrom(...types),
  reads: fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 3 }),
  files: fc.integer({ min: 1, max: 3 }),
  add: fc.nat(3),
  matrix: fc.boolean(),
  repeated: fc.boolean(),
  rounds: fc.oneof(fc.constant([1, 2, 3]), fc.subarray([1, 2, 3], { minLength: 1 })),
});

export const randomPipeline: fc.Arbitrary<RandomPipeline> = fc.record(
  {
    stages: fc
      .array(randomStage, { minLength: 1, maxLength: 6 })
      .map(([first, ...rest]) => [{ ...first!, type: isSource(first!.type) ? first!.type : 'read' }, ...rest]),
    max: fc.integer({ min: 1, max: 3 }),
    until: fc.record({ stage: fc.nat(5), rows: fc.integer({ min: 1, max: 12 }) }),
    carry: fc.array(fc.record({ to: fc.nat(5), from: fc.nat(5) }), { maxLength: 3 }),
  },
  { requiredKeys: ['stages', 'max', 'carry'] },
);

/** Where random pipelines find their stage types and the files that they read. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'workshop-'));
  private readonly catalogue = createCatalogue({ distribution: join(root, 'dist'), cache: join(this.folder, 'cache') });
  private readonly ready: Promise<void>;
  private count = 0;

  constructor() {
    this.ready = import(join(root, 'dist/validators.js')).then(({ validators }) => usePrebuilt(validators as never));
    mkdirSync(join(this.folder, 'in'));
    this.write([1, 2, 3]);
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }');
    for (const [type, text] of Object.entries(modules)) writeFileSync(join(this.folder, `${type}.mjs`), text);
  }

  /** Fill the files that stages read: so many lines each. */
  write(lines: readonly number[]): void {
    for (const [index, count] of lines.entries())
      writeFileSync(
        join(this.folder, `in/${index}.txt`),
        Array.from({ length: count }, (_, line) => `line ${line} of ${index}\n`).join(''),
      );
  }

  /** Load a pipeline as the command line does, with the stages of its YAML in their order or in another. */
  async load(random: RandomPipeline, arranged = <T>(entries: T[]): T[] => entries): Promise<Pipeline> {
    await this.ready;
    this.count += 1;
    const file = join(this.folder, `p${this.count}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(rearranged(yamlOf(random), arranged)));
    const result = await loadPipeline({
      file,
      set: [],
      catalogue: this.catalogue,
      contracts,
      resolveBackend: (name) => ({ name: 'cpu', version: '0', device: 'cpu', precisions: ['fp32'], reason: name }),
    });
    if (result.ok) return result.value;
    // `when` may leave nothing of an input, which is refused: another pipeline, then.
    fc.pre(result.error.some(({ code }) => code !== 'missing-input'));
    throw new Error(result.error.map(({ message }) => message).join('\n'));
  }
}

function yamlOf({ stages, max, until, carry }: RandomPipeline): object {
  const name = (index: number): string => `s${index}`;
  const repeated = [...stages.keys()].filter((index) => stages[index]!.repeated);
  /** Stages that wait for the last round: those of the rounds can't read them. */
  const waiting = new Set<number>();
  const written: Record<string, object> = {};
  for (const [index, { type, reads, files, add, matrix, ...each }] of stages.entries()) {
    const earlier = [...Array(index).keys()].filter((other) => !each.repeated || !waiting.has(other));
    const source = isSource(type) || earlier.length === 0;
    const inputs = [...new Set(reads.map((read) => earlier[read % earlier.length]!))];
    if (!source && !each.repeated && inputs.some((other) => stages[other]!.repeated || waiting.has(other)))
      waiting.add(index);
    written[name(index)] = {
      uses: `./${source && !isSource(type) ? 'read' : type}.mjs`,
      with: {
        add: [String(add), ...(matrix ? ['${{ matrix.v }}'] : []), ...(each.repeated ? ['${{ round }}'] : [])].join(
          ' ',
        ),
        ...(source ? { path: Array.from({ length: files }, (_, file) => `in/${file}.txt`) } : {}),
      },
      ...(source ? {} : { inputs: { documents: inputs.map(name) } }),
      ...(matrix ? { matrix: { v: ['x', 'y'] } } : {}),
      ...(each.repeated && each.rounds.length < 3
        ? { when: each.rounds.map((round) => `round == ${round}`).join(' || ') }
        : {}),
    };
  }
  if (repeated.length === 0) return { name: 'p', stages: written };
  const among = (number: number): string => name(repeated[number % repeated.length]!);
  const carries = carry
    .map(({ to, from }) => [among(to), among(from)] as const)
    .filter(([to]) => !/read/.test((written[to] as { uses: string }).uses));
  return {
    name: 'p',
    stages: written,
    rounds: {
      max,
      stages: repeated.map(name),
      ...(until === undefined ? {} : { until: `${among(until.stage)}.rows >= ${until.rows}` }),
      carry: Object.fromEntries(carries.map(([to, from]) => [`${to}.before`, from])),
    },
  };
}

/** The same value with the keys of its objects in another order. */
function rearranged(value: unknown, arranged: <T>(entries: T[]) => T[]): unknown {
  if (Array.isArray(value)) return value.map((each) => rearranged(each, arranged));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(arranged(Object.entries(value)).map(([key, each]) => [key, rearranged(each, arranged)]));
}

const documents = (more = ''): string => `{ contract: 'documents', description: 'documents'${more} }`;
const module = (shape: string, run: string): string => `import { readFileSync } from 'node:fs';
const row = (id, text) => ({ id, source: 's', snapshot: '', url: '', title: '', text, lang: '', meta: '{}' });
const fileRows = (context) => context.sources('path').flatMap(({ uri, name }) =>
  readFileSync(uri, 'utf8').trim().split('\\n').map((text, line) => row(name + ':' + line, text + context.config.add)));
async function inputRows(context, port = 'documents') {
  const rows = [];
  for (const dataset of context.datasets(port)) for await (const each of dataset.rows()) rows.push(each);
  return rows;
}
const longer = (context, rows) => rows.map((each) => ({ ...each, text: each.text + ' ' + context.config.add }));
export default {
  description: 'random',
  outputs: { documents: ${documents()} },
  ${shape},
  async run(context) {
    const rows = ${run};
    const out = context.writer('documents');
    for (const [index, each] of rows.entries()) {
      await out.add(each);
      if (index % 2 === 1) await out.endShard();
    }
    context.metric('rows', rows.length);
  },
};
`;
const config = (more = ''): string =>
  `config: { type: 'object', additionalProperties: false, properties: { add: { type: 'string' }${more} } }`;
const source = `inputs: {}, ${config(", path: { type: 'array', items: { type: 'string' }, 'x-source': true }")}`;
const inputs = `documents: ${documents(', many: true')}, before: ${documents(', many: true, optional: true')}`;
const reader = `inputs: { ${inputs} }, ${config()}`;
/** A stage of a user's own for each type: from files at once or one by one, of all shards or shard by shard. */
const modules: Readonly<Record<RandomStage['type'], string>> = {
  read: module(source, 'fileRows(context)'),
  'read-each': module(`${source}, map: 'path'`, 'fileRows(context)'),
  join: module(reader, 'longer(context, [...await inputRows(context), ...await inputRows(context, "before")])'),
  each: module(`${reader}, map: 'documents'`, 'longer(context, await inputRows(context))'),
  // Equal outputs of unequal inputs cut off what is downstream.
  tally: module(reader, `[row('tally', String((await inputRows(context)).length % 3))]`),
};
