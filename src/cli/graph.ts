import type { Pipeline, StageNode } from '../core/pipeline.ts';

export type GraphFormat = 'mermaid' | 'dot';

/** The DAG of a pipeline as Mermaid or Graphviz text, edges labelled with the port they feed. */
export function drawGraph(pipeline: Pipeline, format: GraphFormat): string {
  const edges = pipeline.stages.flatMap((stage) => edgesInto(stage));
  const number = new Map(pipeline.stages.map((stage, index) => [stage.id, `s${index}`]));
  const node = (id: string): string => number.get(id) ?? 'unknown';
  if (format === 'dot') {
    return [
      `digraph ${JSON.stringify(pipeline.name)} {`,
      '  rankdir=LR; node [shape=box, fontname="sans-serif"];',
      ...pipeline.stages.map(
        (stage) => `  ${node(stage.id)} [label=${JSON.stringify(`${stage.id}\n${stage.type.type}`)}];`,
      ),
      ...edges.map((edge) => `  ${node(edge.from)} -> ${node(edge.to)} [label=${JSON.stringify(edge.port)}];`),
      '}',
    ].join('\n');
  }
  return [
    'flowchart LR',
    ...pipeline.stages.map((stage) => `  ${node(stage.id)}["${stage.id}<br/><i>${stage.type.type}</i>"]`),
    ...edges.map((edge) => `  ${node(edge.from)} -->|${edge.port}| ${node(edge.to)}`),
  ].join('\n');
}

function edgesInto(stage: StageNode): { from: string; to: string; port: string }[] {
  return Object.entries(stage.inputs).flatMap(([port, references]) =>
    references.map((reference) => ({
      from: reference.kind === 'stage' ? reference.stage : (reference.rounds.at(-1) ?? ''),
      to: stage.id,
      port,
    })),
  );
}
