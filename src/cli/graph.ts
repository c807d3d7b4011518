import type { Pipeline, StageNode } from '../core/pipeline.ts';
import { shownStages, type ShownStage } from '../plan/shown-stages.ts';

export type GraphFormat = 'mermaid' | 'dot';

/**
 * The DAG of a pipeline as Mermaid or Graphviz text: edges labelled with the port they feed, steps inside their stage.
 */
export function drawGraph(pipeline: Pipeline, format: GraphFormat): string {
  const shown = shownStages(pipeline);
  const edges = pipeline.stages.flatMap((stage) => edgesInto(stage));
  const number = new Map(pipeline.stages.map((stage, index) => [stage.id, `s${index}`]));
  const node = (id: string): string => number.get(id) ?? 'unknown';
  if (format === 'dot') {
    const box = (stage: StageNode): string =>
      `${node(stage.id)} [label=${JSON.stringify(`${stage.id}\n${stage.type.type}`)}];`;
    return [
      `digraph ${JSON.stringify(pipeline.name)} {`,
      '  rankdir=LR; node [shape=box, fontname="sans-serif"];',
      ...shown.flatMap((stage, index) =>
        framed(stage, box, `  subgraph cluster_${index} { label=${JSON.stringify(titleOf(stage, '\n'))};`, '  }'),
      ),
      ...edges.map((edge) => `  ${node(edge.from)} -> ${node(edge.to)} [label=${JSON.stringify(edge.port)}];`),
      '}',
    ].join('\n');
  }
  const box = (stage: StageNode): string => `${node(stage.id)}["${stage.id}<br/><i>${stage.type.type}</i>"]`;
  return [
    'flowchart LR',
    ...shown.flatMap((stage, index) => framed(stage, box, `  subgraph c${index}["${titleOf(stage, ' · ')}"]`, '  end')),
    ...edges.map((edge) => `  ${node(edge.from)} -->|${edge.port}| ${node(edge.to)}`),
  ].join('\n');
}

/** A stage as a line, or a composite one as a frame around its steps. */
function framed(stage: ShownStage, box: (stage: StageNode) => string, open: string, close: string): string[] {
  if (stage.steps === undefined) return [`  ${box(stage.node)}`];
  return [open, ...stage.steps.map((step) => `    ${box(step)}`), close];
}

const titleOf = ({ node }: ShownStage, between: string): string => `${node.id}${between}${node.type.type}`;

function edgesInto(stage: StageNode): { from: string; to: string; port: string }[] {
  return Object.entries(stage.inputs).flatMap(([port, references]) =>
    references.map((reference) => ({
      from: (reference.kind === 'stage' ? reference : reference.rounds.at(-1))?.stage ?? '',
      to: stage.id,
      port,
    })),
  );
}
