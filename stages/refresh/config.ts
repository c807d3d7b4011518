// Generated from schemas/stages/refresh.schema.json by `npm run generate`.

export interface Config {
  readonly window:
    | number
    | {
        readonly snapshots?: number;
        readonly days?: number;
        readonly tokens?: number;
      };
  readonly bytes_per_token: number;
  readonly step: number;
  readonly round: number;
  readonly replay: number;
  readonly weights: {
    [k: string]: number;
  };
  readonly seed: number;
}
