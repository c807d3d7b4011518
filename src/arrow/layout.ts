import { Message, Type, type DataType, type Schema } from 'apache-arrow';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import { schemaMismatch } from './schema.ts';
import type { ContractField } from './contract.ts';
import type { OpenFiles } from './open-files.ts';

/**
 * A list column of a record batch, as positions in the file: `rows + 1` int32 offsets, and the items that they index. A
 * column of single numbers has no offsets: each row is a list of one.
 */
export interface ListPlace {
  readonly offsets: number | undefined;
  readonly items: number;
  readonly itemCount: number;
}

export interface BatchLayout {
  readonly rows: number;
  /** In the order of the requested fields; `undefined` for an optional one that the file does not have. */
  readonly lists: readonly (ListPlace | undefined)[];
}

/**
 * The positions of list columns in an Arrow IPC file, from its footer and the metadata before each record batch ("IPC
 * File Format" and "Serialization and IPC" of the Arrow columnar specification). Throws an Error that describes what is
 * wrong with the file.
 */
export function* listLayout(files: OpenFiles, path: string, fields: readonly ContractField[]): Generator<BatchLayout> {
  const size = files.size(path);
  const footer = readFooter(files, path, size);
  const mismatch = schemaMismatch(footer.schema, fields);
  if (mismatch !== undefined) throw new Error(mismatch);
  const columns = fields.map(({ name, type }) => ({
    place: placeOf(footer.schema, name),
    itemBytes: type === 'list<uint16>' ? 2 : 4,
    isList: type.startsWith('list'),
  }));

  for (const { offset, metaDataLength, bodyLength } of footer.recordBatches()) {
    if (offset + metaDataLength + bodyLength > size)
      throw new Error('a record batch extends beyond the end of the file');
    const metadata = files.read(path, offset, new Uint8Array(metaDataLength));
    // Since Arrow 0.15, a marker of four bytes precedes the length.
    const message = Message.decode(metadata.subarray(new DataView(metadata.buffer).getInt32(0, true) === -1 ? 8 : 4));
    if (!message.isRecordBatch()) throw new Error('its footer points to something that is not a record batch');
    const { length: rows, nodes, buffers, compression } = message.header();
    if (compression !== null) throw new Error('its buffers are compressed: write it uncompressed');
    const body = offset + metaDataLength;
    const lists = columns.map(({ place, itemBytes, isList }) => {
      if (place === undefined) return undefined;
      if (!isList) return singles(nodes[place.node]?.length, buffers[place.buffer + 1]);
      const [list, item] = [nodes[place.node], nodes[place.node + 1]];
      // each comes after a validity bitmap
      const [offsets, items] = [buffers[place.buffer + 1], buffers[place.buffer + 3]];
      if (list === undefined || item === undefined || offsets === undefined || items === undefined)
        throw new Error('a record batch does not have all buffers of its columns');
      const fits =
        list.length === rows &&
        offsets.length >= (rows + 1) * 4 &&
        items.length >= item.length * itemBytes &&
        Math.max(offsets.offset + offsets.length, items.offset + items.length) <= bodyLength;
      if (rows > 0 && !fits) throw new Error('the buffers of a list column are smaller than its rows');
      return { offsets: body + offsets.offset, items: body + items.offset, itemCount: item.length };
    });
    function singles(
      length: number | undefined,
      items: { readonly offset: number; readonly length: number } | undefined,
    ): ListPlace {
      if (
        items === undefined ||
        (rows > 0 && !(length === rows && items.length >= rows * 4 && items.offset + items.length <= bodyLength))
      )
        throw new Error('the buffer of a column is smaller than its rows');
      return { offsets: undefined, items: body + items.offset, itemCount: rows };
    }
    yield { rows, lists };
  }
}

const magic = 'ARROW1';

/** The footer comes before its length and the magic word, which are the last bytes of the file. */
function readFooter(files: OpenFiles, path: string, size: number): Footer {
  const tailBytes = 4 + magic.length;
  if (size < 2 * tailBytes) throw new Error('it is too short for an Arrow IPC file');
  const tail = files.read(path, size - tailBytes, new Uint8Array(tailBytes));
  if (new TextDecoder().decode(tail.subarray(4)) !== magic)
    throw new Error('it does not end like an Arrow IPC file: it is something else, or truncated');
  const length = new DataView(tail.buffer).getInt32(0, true);
  if (length <= 0 || length > size - tailBytes) throw new Error('the length of its footer is impossible');
  return Footer.decode(files.read(path, size - tailBytes - length, new Uint8Array(length)));
}

/** A column's first field node and first buffer: both are numbered through the schema, parents before children. */
function placeOf(schema: Schema, name: string): { node: number; buffer: number } | undefined {
  const place = { node: 0, buffer: 0 };
  for (const field of schema.fields) {
    if (field.name === name) return place;
    const { nodes, buffers } = sizeOf(field.type);
    place.node += nodes;
    place.buffer += buffers;
  }
  return undefined;
}

/** Field nodes and buffers of a column and its children. */
function sizeOf(type: DataType): { nodes: number; buffers: number } {
  const size = { nodes: 1, buffers: ownBuffers(type) };
  for (const child of type.typeId === Type.Dictionary ? [] : (type.children ?? [])) {
    const { nodes, buffers } = sizeOf(child.type as DataType);
    size.nodes += nodes;
    size.buffers += buffers;
  }
  return size;
}

function ownBuffers(type: DataType): number {
  switch (type.typeId) {
    case Type.Null:
      return 0;
    case Type.Struct:
    case Type.FixedSizeList:
      return 1;
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Binary:
    case Type.LargeBinary:
      return 3;
    case Type.Union:
      throw new Error('it has a column of a union type, which cannot be skipped');
    default:
      return 2;
  }
}
