// Generated from schemas/stages/import-model.schema.json by `npm run generate`.

export interface Config {
  readonly path: string;
}
