// Generated from schemas/stages/export.schema.json by `npm run generate`.

export interface Config {
  readonly name: string;
}
