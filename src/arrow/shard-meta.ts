import type { Row } from '../core/data.ts';
import type { ContractMeta, DatasetContract } from './contract.ts';

/** A shard's description of itself in its manifest entry. */
export type Meta = Readonly<Record<string, string | number>>;

/** The meta of a shard that is being written: what its contract takes from the rows, and what its stage provides. */
export class ShardMeta {
  private readonly contract: DatasetContract;
  /** Fields that are columns, with the value that all rows of the shard have. */
  private readonly columns: readonly (readonly [name: string, value: unknown])[];

  constructor(contract: DatasetContract, first: Row) {
    this.contract = contract;
    this.columns = fieldsOf(contract)
      .filter(({ from }) => from === 'column')
      .map(({ name }) => [name, first[name]]);
  }

  /** Whether a row differs in a meta column, and so belongs in another shard. */
  excludes(row: Row): boolean {
    for (const [name, value] of this.columns) if (row[name] !== value) return true;
    return false;
  }

  /**
   * The meta of the whole shard, or `undefined` when it has none. Throws a TypeError that names the field when the
   * stage provides something that the contract does not allow.
   */
  finish(rows: number, given: Meta = {}): Meta | undefined {
    const taken: Record<string, string | number> = Object.fromEntries(this.columns) as Meta;
    for (const { name, from } of fieldsOf(this.contract)) if (from === 'rows') taken[name] = rows;
    for (const [name, value] of Object.entries(taken))
      if (given[name] !== undefined && given[name] !== value)
        throw new TypeError(`meta "${name}" is ${given[name]}, but the rows of the shard have ${value}`);
    const meta = { ...taken, ...given };
    checkMeta(meta, this.contract);
    for (const { name, optional, type } of fieldsOf(this.contract))
      if (optional !== true && meta[name] === undefined)
        throw new TypeError(
          `meta "${name}" (${type}) of contract "${this.contract.name}" is missing: pass it to endShard()`,
        );
    return Object.keys(meta).length > 0 ? meta : undefined;
  }
}

/** Throws a TypeError that names the field when meta has one that is not in its contract, or has another type. */
export function checkMeta(meta: Meta, contract: DatasetContract): void {
  for (const [name, value] of Object.entries(meta)) {
    const field = fieldsOf(contract).find((one) => one.name === name);
    if (field === undefined) throw new TypeError(`contract "${contract.name}" has no meta "${name}"`);
    if (field.type === 'utf8' ? typeof value !== 'string' : !Number.isFinite(value))
      throw new TypeError(
        `meta "${name}" of contract "${contract.name}" takes a ${field.type === 'utf8' ? 'string' : 'finite number'}, ` +
          `not ${typeof value === 'number' ? value : typeof value}`,
      );
  }
}

function fieldsOf({ meta = [] }: DatasetContract): readonly ContractMeta[] {
  return meta;
}
