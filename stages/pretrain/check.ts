import type { ConfigProblem } from '../../src/core/stage.ts';
import {
  checkArchitecture,
  dimensionsOf,
  positionOffset,
  type Dimensions,
  type Preset,
} from '../../src/model/config.ts';

interface Checked extends Partial<Dimensions> {
  readonly size: Preset;
  readonly max_length?: number;
  readonly max_position_embeddings?: number;
  readonly max_steps: number;
  readonly warmup_steps?: number;
}

export function check(config: Checked): ConfigProblem[] {
  const { max_length, max_position_embeddings, max_steps, warmup_steps } = config;
  const problems: ConfigProblem[] = checkArchitecture({
    ...dimensionsOf(config.size, config),
    ...(max_position_embeddings === undefined ? {} : { max_position_embeddings }),
  });
  if (
    max_position_embeddings !== undefined &&
    max_length !== undefined &&
    max_position_embeddings < max_length + positionOffset
  )
    problems.push({
      property: 'max_position_embeddings',
      message:
        `max_position_embeddings ${max_position_embeddings} is too small for max_length ${max_length}: RoBERTa ` +
        `needs max_length + ${positionOffset}`,
    });
  if (warmup_steps !== undefined && warmup_steps > max_steps)
    problems.push({
      property: 'warmup_steps',
      message:
        `warmup_steps ${warmup_steps} is greater than max_steps ${max_steps}, so the peak learning rate would never ` +
        'be reached',
    });
  return problems;
}
