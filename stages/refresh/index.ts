import { fail } from '../../src/core/diagnostic.ts';
import type { Dataset, Shard } from '../../src/core/data.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/corpus/corpus-report.ts';
import {
  chooseWindow,
  type Placement,
  type SourceWindow,
  type Standing,
  type WindowShard,
} from '../../src/corpus/window.ts';
import { check } from './check.ts';
import type { Config } from './config.ts';

interface DocumentShard extends WindowShard {
  readonly shard: Shard;
  readonly documents: number;
}

/** The sliding window over snapshots of the corpora. It links shards and does not copy them. */
export default defineStage<Config>({
  description:
    'Keep a sliding window over the snapshots of each source: old snapshots are evicted, new ones enter, ' +
    'and sources are weighted. Shards are linked, not copied.',
  inputs: {
    documents: {
      contract: 'documents',
      description: 'all documents of every source and snapshot',
      many: true,
    },
  },
  outputs: {
    documents: { contract: 'documents', description: 'the shards in the window' },
    metrics: {
      contract: 'metrics',
      description:
        'documents, bytes of shards and approximate tokens; documents outside the window as `dropped`, repeated ' +
        'ones as `repeated`; documents by `source` and `snapshot`',
      optional: true,
    },
  },
  check,
  async run(context) {
    const shards = (
      await Promise.all(context.datasets('documents').map((dataset) => describeShards(dataset, context.config)))
    ).flat();
    checkWeights(context.config, shards);
    const windows = chooseWindow(shards, context.config);
    link(context, shards, windows);
    report(context, windows);
    await writeMetrics(context, windows);
  },
});

/** Each shard with its source and snapshot, from its meta or, if those are missing there, from its first row. */
async function describeShards(dataset: Dataset, { bytes_per_token: bytesPerToken }: Config): Promise<DocumentShard[]> {
  const described: DocumentShard[] = [];
  for (const shard of dataset.shards) {
    if (shard.rows === 0) continue;
    let { source, snapshot } = shard.meta ?? {};
    if (source === undefined || snapshot === undefined)
      for await (const row of dataset.select([shard]).rows()) {
        source = String(row.source);
        snapshot = String(row.snapshot);
        break;
      }
    if (source === undefined || snapshot === undefined) continue;
    described.push({
      source: String(source),
      snapshot: String(snapshot),
      digest: shard.digest,
      documents: shard.rows ?? 0,
      tokens: Math.round(shard.bytes / bytesPerToken),
      shard,
    });
  }
  return described;
}

function checkWeights({ weights }: Config, shards: readonly DocumentShard[]): void {
  const sources = new Set(shards.map((shard) => shard.source));
  const unknown = Object.keys(weights).find((source) => !sources.has(source));
  if (unknown !== undefined)
    fail(
      'unknown-source',
      `There are no documents of the source "${unknown}", which \`weights\` names.`,
      `The input has these sources: ${[...sources].sort().join(', ') || 'none'}.`,
    );
}

/**
 * In the order of the inputs. Repeats follow after all shards have come once, and are marked, because otherwise
 * `deduplicate` would drop them.
 */
function link(
  context: StageContext<Config>,
  shards: readonly DocumentShard[],
  windows: readonly SourceWindow<DocumentShard>[],
): void {
  const copies = new Map<DocumentShard, number>();
  for (const { placements } of windows)
    for (const placement of placements) copies.set(placement.shard, placement.copies);
  const most = [...copies.values()].reduce((a, b) => Math.max(a, b), 0);
  if (most === 0)
    fail(
      'empty-window',
      'There are no shards in the window.',
      shards.length === 0
        ? 'The input has no documents: check the counts of dropped documents of the stages before.'
        : 'Raise `weights` or `window`.',
    );
  const writer = context.writer('documents');
  for (let copy = 1; copy <= most; copy++)
    for (const described of shards)
      if (copies.get(described)! >= copy)
        writer.link({
          ...described.shard,
          meta: {
            ...described.shard.meta,
            source: described.source,
            snapshot: described.snapshot,
            ...(copy > 1 ? { copy } : {}),
          },
        });
}

const standings: readonly Standing[] = ['entered', 'stayed', 'evicted', 'replayed', 'waiting'];

function report(context: StageContext<Config>, windows: readonly SourceWindow<DocumentShard>[]): void {
  const all = windows.flatMap((window) => window.placements);
  for (const standing of standings) {
    const those = all.filter((placement) => placement.standing === standing);
    context.metric(`shards.${standing}`, those.length);
    context.metric(
      `documents.${standing}`,
      those.reduce((sum, { shard }) => sum + shard.documents, 0),
    );
  }
  context.metric(
    'documents.in',
    all.reduce((sum, { shard }) => sum + shard.documents, 0),
  );
  context.metric('documents.out', letThrough(all, 'documents'));
  context.metric('tokens.about', letThrough(all, 'tokens'));
  if (context.config.round > 0) context.log(`round ${context.config.round}`);
  for (const { source, snapshots, begin, end, placements } of windows) {
    const documents = letThrough(placements, 'documents');
    context.metric(`documents.out.${source}`, documents);
    const range =
      snapshots.length === 0
        ? 'no snapshots, always included'
        : begin === end
          ? 'nothing'
          : `${snapshots[begin]} to ${snapshots[end - 1]} (${end - begin} of ${snapshots.length} snapshots)`;
    context.log(
      `${source}: ${range}, ${amount(documents, 'document')}, about ` +
        `${amount(letThrough(placements, 'tokens'), 'token')}`,
    );
    for (const standing of standings) {
      const those = placements.filter((placement) => placement.standing === standing);
      if (those.length > 0)
        context.log(
          `  ${standing}: ${amount(those.length, 'shard')}, ${amount(
            those.reduce((sum, { shard }) => sum + shard.documents, 0),
            'document',
          )} of ${snapshotsOf(those)}`,
        );
    }
  }
}

/** The window as a table: documents in, less those dropped, plus the repeats that weights make, are documents out. */
async function writeMetrics(
  context: StageContext<Config>,
  windows: readonly SourceWindow<DocumentShard>[],
): Promise<void> {
  const table = new CorpusReport(context);
  for (const { source, placements } of windows)
    for (const {
      shard: {
        documents,
        tokens,
        snapshot,
        shard: { bytes },
      },
      copies,
      standing,
    } of placements) {
      const amounts = { documents, bytes, tokens };
      for (const [name, amount] of Object.entries(amounts)) {
        table.add(name, 'in', amount);
        table.add(name, 'out', amount * copies);
      }
      if (copies === 0)
        table.add('dropped', standing === 'evicted' || standing === 'waiting' ? standing : 'weight', documents);
      else {
        table.add('source', source, documents * copies);
        table.add('snapshot', `${source} ${snapshot}`.trim(), documents * copies);
      }
      if (copies > 1) table.add('repeated', source, documents * (copies - 1));
    }
  await table.end();
}

/** Number of documents or tokens in the output, repeats included. */
function letThrough(placements: readonly Placement<DocumentShard>[], what: 'documents' | 'tokens'): number {
  return placements.reduce((sum, { shard, copies }) => sum + shard[what] * copies, 0);
}

function snapshotsOf(placements: readonly Placement<DocumentShard>[]): string {
  return [...new Set(placements.map(({ shard }) => shard.snapshot || 'no snapshot'))].join(', ');
}

const amount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
