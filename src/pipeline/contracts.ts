import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ContractFile {
  readonly kind?: string;
  readonly fields?: readonly { readonly name: string; readonly type: string; readonly optional?: boolean }[];
  readonly files?: readonly string[];
}

/** The contracts in a folder; files are read only when a message needs them. */
export class Contracts {
  private readonly directory: string;
  private known: readonly string[] | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  names(): readonly string[] {
    this.known ??= readdirSync(this.directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
    return this.known;
  }

  /** Two contracts side by side, for an error message. */
  sideBySide(left: string, right: string): string {
    const [a, b] = [this.lines(left), this.lines(right)];
    const width = Math.max(...a.map((line) => line.length));
    const rows = Array.from({ length: Math.max(a.length, b.length) }, (_, row) =>
      `    ${(a[row] ?? '').padEnd(width)}   | ${b[row] ?? ''}`.trimEnd(),
    );
    return rows.join('\n');
  }

  private lines(name: string): readonly string[] {
    if (!this.names().includes(name)) return [name, '(no such contract)'];
    const contract = JSON.parse(readFileSync(join(this.directory, `${name}.json`), 'utf8')) as ContractFile;
    const parts =
      contract.fields?.map(
        (field) => `  ${field.name}: ${field.type}${field.optional === true ? ' (optional)' : ''}`,
      ) ??
      contract.files?.map((file) => `  ${file}`) ??
      [];
    return [`${name} (${contract.kind ?? 'artifact'})`, ...parts];
  }
}
