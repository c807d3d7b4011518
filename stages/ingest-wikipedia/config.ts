// Generated from schemas/stages/ingest-wikipedia.schema.json by `npm run generate`.

export interface Config {
  readonly dump: string | string[];
  readonly snapshot: string;
  readonly source: string;
  readonly lang: string;
  readonly checksum: string;
  readonly min_characters: number;
  readonly max_documents?: number;
  readonly variant: 'zh-hans' | 'zh-hant' | 'zh-cn' | 'zh-sg' | 'zh-tw' | 'zh-hk';
  readonly drop_sections: string[];
}
