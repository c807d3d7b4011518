import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { fail } from '../core/diagnostic.ts';

/**
 * Rows of a local Parquet file with those of the named columns that exist, one row group in memory at a time. Fails
 * when the file is damaged, has no column `required`, or has a row group that is too large for memory.
 */
export async function* readParquet(
  path: string,
  name: string,
  required: string,
  others: readonly string[],
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const damaged = (error: unknown): never =>
    fail(
      'damaged-parquet',
      `${name}: ${error instanceof Error ? error.message : String(error)}`,
      'Download the file again.',
      error,
    );
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch(damaged);
  const names = columnNames(metadata);
  if (!names.includes(required))
    fail(
      'missing-column',
      `${name} has no column "${required}"; its columns: ${names.join(', ')}`,
      'Set `text_field` to the column that holds the text.',
    );
  const columns = names.filter((column) => column === required || others.includes(column));
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const bytes = group.columns.reduce(
      (sum, { meta_data: meta }) =>
        sum + (columns.includes(meta?.path_in_schema[0] ?? '') ? Number(meta?.total_uncompressed_size ?? 0) : 0),
      0,
    );
    if (bytes > maxGroupBytes)
      fail(
        'file-too-large',
        `${name}: a row group has ${bytes} bytes; the limit is ${maxGroupBytes}`,
        'Write the file again with smaller row groups (`row_group_size` in pyarrow).',
      );
    const rowEnd = rowStart + Number(group.num_rows);
    yield* (await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors }).catch(
      damaged,
    )) as Record<string, unknown>[];
    rowStart = rowEnd;
  }
}

const maxGroupBytes = 2 ** 30;

/** Top-level columns, as the schema's tree lists them depth first. */
function columnNames({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let child = schema[at]?.num_children ?? 0; child > 0; child--) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at]?.name ?? '');
  return names;
}
