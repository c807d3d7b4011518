import type { ArtifactFile } from '../../src/core/artifact.ts';
import type { Row } from '../../src/core/data.ts';
import deduplicate from '../../stages/deduplicate/index.ts';
import findDuplicates from '../../stages/find-duplicates/index.ts';
import sign from '../../stages/sign/index.ts';
import { runStage, type TestArtifact } from './run-stage.ts';

const pick = (config: Record<string, unknown>, ...names: string[]) =>
  Object.fromEntries(Object.entries(config).filter(([name]) => names.includes(name)));

/** Sign, compare and drop, each shard by itself, as the runner does it. */
export async function deduplicated(documents: readonly TestArtifact[], config: Record<string, unknown> = {}) {
  const shards = documents.flatMap((artifact) => artifact.shards.map((shard) => ({ artifact, shard })));
  const only = (artifact: TestArtifact, keep: (shard: TestArtifact['shards'][number]) => boolean): TestArtifact => ({
    ...artifact,
    shards: artifact.shards.filter(keep),
  });
  const signed = await Promise.all(
    documents.map(
      async (one) =>
        (
          await runStage(sign, {
            type: 'sign',
            config: { method: 'exact', ...pick(config, 'method') },
            inputs: { documents: one },
          })
        ).outputs.signatures!,
    ),
  );
  const signatures: TestArtifact = { ...signed[0]!, shards: signed.flatMap((one) => one.shards) };
  const found = await runStage(findDuplicates, { type: 'find-duplicates', config, inputs: { documents, signatures } });
  const metrics: Record<string, number> = {};
  const rows: Row[] = [];
  const files: ArtifactFile[] = [];
  const seen = new Map<string, number>();
  for (const { artifact, shard } of shards) {
    const occurrence = (seen.get(shard.digest) ?? 0) + 1;
    seen.set(shard.digest, occurrence);
    const duplicates = only(
      found.outputs.duplicates!,
      ({ meta }) => meta?.shard === shard.digest && meta.occurrence === occurrence,
    );
    const each = await runStage(deduplicate, {
      type: 'deduplicate',
      config,
      inputs: { documents: only(artifact, (other) => other === shard), duplicates },
    });
    for (const [name, value] of Object.entries(each.metrics)) metrics[name] = (metrics[name] ?? 0) + value;
    rows.push(...(await each.outputs.documents!.rows()));
    files.push(...each.outputs.documents!.manifest.files);
  }
  return { rows, ids: rows.map((row) => row.id), files, metrics, found: found.metrics };
}
