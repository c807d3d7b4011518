import type { Catalogue } from '../core/pipeline.ts';
import type { Draft } from './draft.ts';
import { child, entryOf } from './node.ts';
import type { Problems } from './problems.ts';

/** Let each stage type check its complete config, and report problems at its properties. */
export async function checkConfigs(drafts: readonly Draft[], catalogue: Catalogue, problems: Problems): Promise<void> {
  for (const { node, stage, sound } of drafts) {
    if (!sound || node.type.checkModule === undefined) continue;
    const written = entryOf(stage.node, 'with');
    for (const problem of await catalogue.check(node.type, node.config)) {
      const path = problem.property.split('.');
      let value = written?.node;
      for (const key of path) value = child(value, key);
      problems.add(
        'config-check',
        `${problem.message} (\`${problem.property}\` of \`${stage.name}\`)`,
        value?.span ?? written?.key ?? stage.at,
        undefined,
        stage.name,
      );
    }
  }
}
