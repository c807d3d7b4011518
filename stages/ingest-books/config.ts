// Generated from schemas/stages/ingest-books.schema.json by `npm run generate`.

export interface Config {
  readonly path: string | string[];
  readonly snapshot: string;
  readonly source: string;
  readonly lang: string;
  readonly checksum: string;
  readonly encoding: string;
  readonly text_field: string;
  readonly title_field: string;
  readonly id_field: string;
}
