import type { Draft } from './load-pipeline.ts';
import { child } from './node.ts';
import type { Problems } from './problems.ts';

/**
 * Refuse inputs that can only be empty, since the producer's config leaves that output out: before days of training,
 * not after.
 */
export function checkEmptyInputs(drafts: readonly Draft[], problems: Problems): void {
  const byId = new Map(drafts.map((draft) => [draft.node.id, draft.node]));
  for (const { node, stage, sound, implied } of drafts) {
    if (!sound || implied === true) continue; // said of the stage that implies it
    for (const [port, references] of Object.entries(node.inputs)) {
      if (node.type.inputs[port]?.optional === true || references.length === 0) continue;
      const reasons = references.map((reference) => {
        const producer = byId.get(reference.kind === 'stage' ? reference.stage : (reference.rounds[0] ?? ''));
        const [property, value] =
          Object.entries(producer?.type.outputs[reference.port]?.emptyIf ?? {}).find(
            ([name, each]) => producer?.config[name] === each,
          ) ?? [];
        return property === undefined
          ? undefined
          : { name: producer?.name ?? '', port: reference.port, property, value };
      });
      const [first] = reasons;
      if (first === undefined || reasons.includes(undefined)) continue;
      problems.add(
        'empty-input',
        `\`${first.name}.${first.port}\` is empty, as \`${first.property}\` of \`${first.name}\` is ` +
          `${String(first.value)}`,
        child(child(stage.node, 'inputs'), port)?.span ?? stage.at,
        `set \`${first.property}\` in the \`with\` of \`${first.name}\``,
        stage.name,
      );
    }
  }
}
