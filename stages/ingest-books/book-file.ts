/** A book as its file has it. */
export interface BookFile {
  /** File name; for an entry of an archive, `archive/path`. */
  readonly path: string;
  /** What its id is made of: the path without its extension, with the number or id of a record. */
  readonly name: string;
  readonly format: 'text' | 'epub' | 'record';
  /** Bytes of a text file, whose encoding is not known yet. */
  readonly content: string | Uint8Array;
  /** What it takes up in its file. */
  readonly bytes: number;
  readonly title?: string;
  readonly author?: string;
  readonly lang?: string;
}
