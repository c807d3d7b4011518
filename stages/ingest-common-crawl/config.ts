// Generated from schemas/stages/ingest-common-crawl.schema.json by `npm run generate`.

export interface Config {
  readonly path: string | string[];
  readonly base_url: string;
  readonly snapshot: string;
  readonly source: string;
  readonly checksum: string;
  readonly max_documents?: number;
  readonly min_characters: number;
  readonly max_bad_records: number;
}
