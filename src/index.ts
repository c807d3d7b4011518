/** What a stage of your own imports: `import { defineStage } from 'run-pipeline'`. */
export { defineStage, type Port, type Source, type StageContext, type StageType } from './core/stage.ts';
export { Failure, fail, type Diagnostic } from './core/diagnostic.ts';
export type { Dataset, DatasetWriter, FolderWriter, ModelFolder, Row, Shard, Value } from './core/data.ts';
