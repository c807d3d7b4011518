import type { ArtifactFile, Manifest } from '../core/artifact.ts';
import { Failure } from '../core/diagnostic.ts';
import type { StageNode } from '../core/pipeline.ts';
import type { Division, Source } from '../core/stage.ts';
import type { Artifact, StageInputs } from './action-cache.ts';
import { toArtifact } from './fingerprint.ts';

/** What one action of a stage works on. */
export interface Part {
  readonly id: string;
  readonly inputs: StageInputs;
  readonly sources: Readonly<Record<string, readonly Source[]>>;
}

/**
 * The actions of a stage: one, or several if its {@link Division} divides its inputs or the files of a config property.
 * Throws a Failure if the parts of several ports do not fit together.
 */
export function divide(node: StageNode, inputs: StageInputs, sources: Part['sources']): Part[] {
  const { map } = node.type;
  if (map === undefined) return [{ id: node.id, inputs, sources }];
  const [first = ''] = map.ports;
  if (first in sources)
    return (sources[first] ?? []).map((source) => ({
      id: `${node.id}/${source.name}`,
      inputs,
      sources: { ...sources, [first]: [source] },
    }));
  const parts =
    map.by === undefined ? byPosition(node, map.ports, inputs) : byMeta(node, { ...map, by: map.by }, inputs);
  return parts.map(({ name, inputs: own }) => ({ id: `${node.id}/${name}`, inputs: { ...inputs, ...own }, sources }));
}

interface Cut {
  readonly name: string;
  readonly inputs: StageInputs;
}

/** A shard with the manifest that lists it. */
interface Placed {
  readonly file: ArtifactFile;
  readonly manifest: Manifest;
}

/** The n-th shard of every port together. */
function byPosition(node: StageNode, ports: readonly string[], inputs: StageInputs): Cut[] {
  const [first = '', ...others] = ports;
  const shards = new Map(ports.map((port) => [port, shardsOf(inputs[port] ?? [])]));
  const leading = shards.get(first) ?? [];
  for (const port of others) {
    const count = shards.get(port)?.length ?? 0;
    if (count !== leading.length)
      throw new Failure({
        code: 'shards-unmatched',
        message: `${node.id}: input "${first}" has ${leading.length} shards, but "${port}" has ${count}`,
        stage: node.id,
        location: node.location,
        help: `\`${node.type.type}\` reads them in pairs: connect a "${port}" that was made from this "${first}".`,
      });
  }
  const seen = new Map<string, number>();
  return leading.map(({ file }, position) => {
    const name = `${shortName(file)}.arrow`;
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    return {
      name: occurrence === 1 ? name : `${name}#${occurrence}`,
      inputs: Object.fromEntries(
        ports.map((port) => [port, [partOf(shards.get(port)?.slice(position, position + 1) ?? [])]]),
      ),
    };
  });
}

/** All shards of every port with the same value of a meta field together, in the order of the values. */
function byMeta(node: StageNode, { ports, by }: Required<Division>, inputs: StageInputs): Cut[] {
  const groups = new Map<string, Map<string, Placed[]>>();
  for (const port of ports)
    for (const placed of shardsOf(inputs[port] ?? [])) {
      const value = placed.file.meta?.[by];
      if (value === undefined)
        throw new Failure({
          code: 'shards-unmatched',
          message: `${node.id}: a shard of input "${port}" does not have the meta field "${by}" that its shards are grouped by`,
          stage: node.id,
          location: node.location,
          help: `End its shards with \`endShard({ ${by}: … })\`.`,
        });
      const group = groups.get(String(value)) ?? new Map<string, Placed[]>();
      groups.set(String(value), group.set(port, [...(group.get(port) ?? []), placed]));
    }
  return [...groups]
    .sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1))
    .map(([value, group]) => ({
      name: `${by}=${value}`,
      inputs: Object.fromEntries(
        ports.map((port) => [port, [partOf(group.get(port) ?? [], inputs[port]?.[0]?.manifest)]]),
      ),
    }));
}

function shardsOf(artifacts: readonly Artifact[]): Placed[] {
  return artifacts.flatMap(({ manifest }) => manifest.files.filter(isShard).map((file) => ({ file, manifest })));
}

/** Shards as an artifact. The key must not depend on their position among the others, so neither may their names. */
function partOf(shards: readonly Placed[], otherwise?: Manifest): Artifact {
  const manifest = shards[0]?.manifest ?? otherwise;
  if (manifest === undefined) throw new Error('no manifest for a part without shards');
  const files = shards.map(({ file }, index) => ({
    ...file,
    path: `${shards.length === 1 ? '' : `${String(index).padStart(5, '0')}-`}${shortName(file)}.arrow`,
  }));
  return toArtifact({ ...manifest, files: [...files, ...manifest.files.filter((file) => !isShard(file))] });
}

/** Files of a dataset that are not shards belong to all of it. */
const isShard = ({ rows }: ArtifactFile): boolean => rows !== undefined;

const shortName = ({ digest }: ArtifactFile): string => digest.slice(0, 16);
