// Generated from schemas/stages/import-tokenizer.schema.json by `npm run generate`.

export interface Config {
  readonly path: string;
}
