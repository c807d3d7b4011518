import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import countPairs from '../../stages/count-pairs/index.ts';
import countTokens from '../../stages/count-tokens/index.ts';
import maskCopies from '../../stages/mask-copies/index.ts';
import mask from '../../stages/mask/index.ts';
import { contracts, runStage, type TestArtifact } from './run-stage.ts';

/** Count, copy and mask, as the runner does it: what counts and copies is given each shard by itself. */
export async function runMask(
  config: Record<string, unknown>,
  { sequences, tokenizer }: { readonly sequences: TestArtifact; readonly tokenizer: TestArtifact },
) {
  const perShard = async (
    run: (one: TestArtifact) => ReturnType<typeof runStage>,
  ): Promise<(port: string) => TestArtifact> => {
    const results: Record<string, TestArtifact>[] = [];
    for (const shard of sequences.shards) results.push((await run({ ...sequences, shards: [shard] })).outputs);
    return (port) => ({ ...results[0]![port]!, shards: results.flatMap((outputs) => outputs[port]!.shards) });
  };
  const implied: Record<string, TestArtifact> = {
    token_counts: (
      await perShard((one) => runStage(countTokens, { type: 'count-tokens', inputs: { sequences: one, tokenizer } }))
    )('token_counts'),
  };
  if (config['mode'] === 'importance' && config['importance'] === 'pmi')
    implied['pair_counts'] = (
      await perShard((one) => runStage(countPairs, { type: 'count-pairs', inputs: { sequences: one, tokenizer } }))
    )('pair_counts');
  if (config['mode'] === 'static') {
    const { properties } = JSON.parse(readFileSync(join(contracts, '../stages/mask-copies.schema.json'), 'utf8')) as {
      properties: object;
    };
    const own = Object.fromEntries(Object.entries(config).filter(([name]) => name in properties));
    const copied = await perShard((one) =>
      runStage(maskCopies, { type: 'mask-copies', config: own, inputs: { sequences: one, tokenizer } }),
    );
    Object.assign(implied, { copies: copied('copies'), copy_metrics: copied('metrics') });
  }
  return runStage(mask, { type: 'mask', config, inputs: { sequences, tokenizer, ...implied } });
}
