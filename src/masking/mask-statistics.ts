import type { MaskedSequence, MaskPlan } from './masking.ts';

/** Number of groups, equal in occurrences, for which token importance is reported. */
const importanceClasses = 5;

/** Adds one to the value of a name and a label in a table. */
type Add = (name: string, label: string, by: number) => void;

/**
 * What masking does to a corpus: selected tokens by replacement; and tokens and selected tokens by source and, if
 * tokens differ in importance, by fifth of the corpus, from the least important tokens to the most important.
 */
export class MaskStatistics {
  tokens = 0;
  chosen = 0;
  private readonly plan: MaskPlan;
  /** Token id -> its fifth; `undefined` when all are alike. */
  private readonly classOf: Uint8Array | undefined;
  private readonly replacements = { mask: 0, random: 0, kept: 0 };
  private readonly bySource = new Map<string, Share>();
  private readonly byImportance = Array.from({ length: importanceClasses }, (): Share => ({ tokens: 0, chosen: 0 }));

  /**
   * @param importance of each token id, if they differ
   * @param counts occurrences of each token id in the corpus
   */
  constructor(plan: MaskPlan, importance?: Float64Array, counts?: Float64Array) {
    this.plan = plan;
    if (importance && counts) this.classOf = classes(importance, counts);
  }

  add(source: string, ids: ArrayLike<number>, { input_ids, positions, labels }: MaskedSequence): void {
    const {
      plan: { isSpecial, mask_id: maskId },
      classOf,
      byImportance,
      replacements,
    } = this;
    let share = this.bySource.get(source);
    if (share === undefined) this.bySource.set(source, (share = { tokens: 0, chosen: 0 }));
    let tokens = 0;
    for (let at = 0; at < ids.length; at++) {
      if (isSpecial[ids[at]!] === 1) continue;
      tokens++;
      if (classOf) byImportance[classOf[ids[at]!]!]!.tokens++;
    }
    for (let i = 0; i < positions.length; i++) {
      const label = labels[i]!,
        seen = input_ids[positions[i]!]!;
      replacements[seen === maskId ? 'mask' : seen === label ? 'kept' : 'random']++;
      if (classOf) byImportance[classOf[label]!]!.chosen++;
    }
    share.tokens += tokens;
    share.chosen += positions.length;
    this.tokens += tokens;
    this.chosen += positions.length;
  }

  report(add: Add): void {
    add('tried', 'tokens', this.tokens);
    for (const [label, value] of Object.entries(this.replacements)) add('masked', label, value);
    for (const [source, { tokens, chosen }] of this.bySource) {
      add('source_tokens', source, tokens);
      add('source_masked', source, chosen);
    }
    if (this.classOf)
      this.byImportance.forEach(({ tokens, chosen }, index) => {
        add('importance_tokens', String(index + 1), tokens);
        add('importance_masked', String(index + 1), chosen);
      });
  }
}

interface Share {
  tokens: number;
  chosen: number;
}

/**
 * Divide the occurrences, sorted by importance, into classes of about the same size; each token id is in one of them.
 */
function classes(importance: Float64Array, counts: Float64Array): Uint8Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const classOf = new Uint8Array(counts.length);
  let before = 0;
  for (const id of Uint32Array.from(counts.keys()).sort((a, b) => importance[a]! - importance[b]! || a - b)) {
    classOf[id] = Math.min(
      importanceClasses - 1,
      Math.floor(((before + counts[id]! / 2) / Math.max(1, total)) * importanceClasses),
    );
    before += counts[id]!;
  }
  return classOf;
}
