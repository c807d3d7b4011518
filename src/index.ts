/** What a stage of your own imports: `import { defineFilter } from 'run-pipeline'`. */
export { defineFilter, type Filter, type FilterContext } from './corpus/define-filter.ts';
export type { Document } from './corpus/document.ts';
export type { Verdict } from './corpus/document-output.ts';
export { defineStage, type Port, type Source, type StageContext, type StageType } from './core/stage.ts';
export { Failure, fail, type Diagnostic } from './core/diagnostic.ts';
export type { Dataset, DatasetWriter, OutputFolder, Folder, Row, Shard, Value } from './core/data.ts';
