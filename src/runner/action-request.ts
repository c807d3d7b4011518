import type { StageNode } from '../core/pipeline.ts';
import type { ActionRequest, InputArtifact } from '../core/worker.ts';
import type { Artifact } from '../plan/action-cache.ts';
import type { PlannedAction } from '../plan/planner.ts';
import type { Store } from '../store/store.ts';

/** Everything a worker needs to run an action. */
export function actionRequest(
  node: StageNode,
  action: PlannedAction,
  attempt: string,
  contracts: string,
  store: Store,
): ActionRequest {
  const input = (artifact: Artifact): InputArtifact => {
    const { kind, contract, files } = artifact.manifest;
    return {
      kind,
      contract,
      folder: kind === 'folder' || node.shell !== undefined ? store.view(artifact) : '',
      shards: files.map((file) => ({ ...file, location: store.objectPath(file.digest) })),
    };
  };
  return {
    stage: node.id,
    module: node.type.module,
    ...(node.shell === undefined ? {} : { shell: node.shell }),
    config: node.config,
    inputs: Object.fromEntries(Object.entries(action.inputs).map(([port, list]) => [port, list.map(input)])),
    outputs: node.type.outputs,
    sources: action.sources,
    attempt,
    checkpoint: store.checkpoint(action.key),
    downloads: store.layout.downloads,
    contracts,
    cpus: node.resources.cpus,
    ...(node.backend === undefined ? {} : { backend: node.backend }),
    ...(node.type.map === undefined ? {} : { partial: true }),
    env: action.env,
  };
}
