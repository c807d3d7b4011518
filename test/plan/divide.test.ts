import { describe, expect, it } from 'vitest';
import type { ArtifactFile, Digest } from '../../src/core/artifact.ts';
import type { StageNode } from '../../src/core/pipeline.ts';
import { divisionOf, type MapOf } from '../../src/core/stage.ts';
import type { Artifact } from '../../src/plan/action-cache.ts';
import { divide } from '../../src/plan/divide.ts';
import { toArtifact } from '../../src/plan/fingerprint.ts';

const shard = (letter: string, meta?: Record<string, string | number>): ArtifactFile => ({
  path: `part-${letter}.arrow`,
  digest: letter.repeat(64) as Digest,
  bytes: 1,
  rows: 1,
  ...(meta && { meta }),
});
const dataset = (...files: ArtifactFile[]): Artifact =>
  toArtifact({ version: 1, kind: 'dataset', contract: 'documents', files });
const node = (map?: MapOf): StageNode =>
  ({ id: 's', type: { type: 'x', ...(map && { map: divisionOf(map) }) }, location: {} }) as unknown as StageNode;
/** By action: its id, and of each port the shards that it gets, by letter. */
const partsOf = (map: MapOf | undefined, inputs: Record<string, Artifact[]>): unknown[] =>
  divide(node(map), inputs, {}).map(({ id, inputs: own }) => [
    id,
    ...Object.entries(own).map(
      ([port, list]) =>
        `${port}:${list.flatMap(({ manifest }) => manifest.files.map(({ digest }) => digest[0])).join('')}`,
    ),
  ]);
const name = (letter: string): string => `s/${letter.repeat(16)}.arrow`;

describe('the actions of a stage', () => {
  it('are one without a division', () => {
    expect(partsOf(undefined, { a: [dataset(shard('a'), shard('b'))] })).toEqual([['s', 'a:ab']]);
  });

  it('are one per shard of a port, of all of its artifacts; other ports are whole', () => {
    const inputs = { a: [dataset(shard('a')), dataset(shard('b'), shard('c'))], b: [dataset(shard('d'), shard('e'))] };
    expect(partsOf('a', inputs)).toEqual(['a', 'b', 'c'].map((letter) => [name(letter), `a:${letter}`, 'b:de']));
  });

  it('are one per pair of shards at the same position', () => {
    const inputs = {
      a: [dataset(shard('a'), shard('b'), shard('a'))],
      b: [dataset(shard('d'), shard('e'), shard('f'))],
    };
    expect(partsOf(['a', 'b'], inputs)).toEqual([
      [name('a'), 'a:a', 'b:d'],
      [name('b'), 'a:b', 'b:e'],
      [`${name('a')}#2`, 'a:a', 'b:f'],
    ]);
  });

  it('do not depend on where a shard is among the others', () => {
    const keyOf = (inputs: Record<string, Artifact[]>, at: number) => divide(node(['a', 'b']), inputs, {})[at]!.inputs;
    const before = keyOf({ a: [dataset(shard('a'), shard('b'))], b: [dataset(shard('d'), shard('e'))] }, 1);
    expect(keyOf({ a: [dataset(shard('b'))], b: [dataset(shard('e'))] }, 0)).toEqual(before);
  });

  it('cannot be pairs where one port has more shards', () => {
    const inputs = { a: [dataset(shard('a'), shard('b'))], b: [dataset(shard('d'))] };
    expect(() => partsOf(['a', 'b'], inputs)).toThrow('input "a" has 2 shards, but "b" has 1');
  });

  it('are one per value of a meta field, in the order of the values, with all shards that have it', () => {
    const inputs = {
      a: [dataset(shard('a', { p: 10 }), shard('b', { p: 9 })), dataset(shard('c', { p: 10 }))],
      b: [dataset(shard('d', { p: 9 }), shard('e', { p: 11 }))],
    };
    expect(partsOf({ port: ['a', 'b'], by: 'p' }, inputs)).toEqual([
      ['s/p=9', 'a:b', 'b:d'],
      ['s/p=10', 'a:ac', 'b:'],
      ['s/p=11', 'a:', 'b:e'],
    ]);
    expect(partsOf({ port: 'a', by: 'p' }, inputs)).toEqual([
      ['s/p=9', 'a:b', 'b:de'],
      ['s/p=10', 'a:ac', 'b:de'],
    ]);
  });

  it('cannot be grouped by what a shard does not say', () => {
    expect(() => partsOf({ port: 'a', by: 'p' }, { a: [dataset(shard('a'))] })).toThrow('does not have');
  });

  it('each get the files beside the shards, which belong to all of them', () => {
    const beside: ArtifactFile = { path: '_plan/x.json', digest: 'f'.repeat(64) as Digest, bytes: 1 };
    expect(partsOf('a', { a: [dataset(shard('a'), shard('b'), beside)] })).toEqual([
      [name('a'), 'a:af'],
      [name('b'), 'a:bf'],
    ]);
  });
});
