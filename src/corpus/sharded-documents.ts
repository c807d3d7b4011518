import type { DatasetWriter, Row } from '../core/data.ts';

/**
 * Writes documents so that every shard holds those of one source and snapshot and says so in its `meta`, which is what
 * `refresh` chooses shards by.
 */
export class ShardedDocuments {
  private readonly writer: DatasetWriter;
  private source = '';
  private snapshot = '';
  private documents = 0;
  private characters = 0;

  constructor(writer: DatasetWriter) {
    this.writer = writer;
  }

  async add(row: Row): Promise<void> {
    const source = String(row.source),
      snapshot = String(row.snapshot);
    if (source !== this.source || snapshot !== this.snapshot || this.characters >= shardCharacters) await this.end();
    this.source = source;
    this.snapshot = snapshot;
    this.documents++;
    this.characters += String(row.text).length;
    await this.writer.add(row);
  }

  /** Close the last shard. */
  async end(): Promise<void> {
    if (this.documents > 0)
      await this.writer.endShard({ source: this.source, snapshot: this.snapshot, documents: this.documents });
    this.documents = 0;
    this.characters = 0;
  }
}

/** Characters at which a shard is closed here, before the writer rolls by itself at 64 MiB and leaves out the meta. */
const shardCharacters = 12 << 20;
