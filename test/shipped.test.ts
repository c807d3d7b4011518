import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

it('no pipeline or sample reaches into node_modules, which is elsewhere where packages are hoisted', () => {
  const files = globSync(['pipelines/**/*', 'samples/**/*.md'], { cwd: root });
  expect(files).toContain('pipelines/pretrain.yaml');
  expect(files.filter((file) => readFileSync(join(root, file), 'utf8').includes('node_modules'))).toEqual([]);
});
