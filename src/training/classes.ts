import { listed } from '../model/hf-weights.ts';

/** The classes of a classifier to be trained: the ids of their names, and whether the model's head fits. */
export interface Classes {
  /** Names by id, as in the model that is written. */
  readonly labels: readonly string[];
  /** Whether ids and head are the model's own; otherwise its head, if it has one, is for other classes. */
  readonly areTheModels: boolean;
  /** The id of a text's label; undefined for a label that is not a class. */
  idOf(label: string): number | undefined;
  /** One sentence for the log: which id is which class, and why. */
  readonly note: string;
}

/**
 * Decide the ids of the classes that training texts have. A model with the same classes keeps its ids, because its head
 * uses them: `known` are its names by id. Other classes are numbered in order of their names, or of their values when
 * all are numbers, so that class 10 follows 9.
 */
export function decideClasses(texts: Iterable<string>, known: readonly string[] = []): Classes {
  const names = [...new Set(texts)];
  for (const { spelled, own } of spellings(known)) {
    const ids = new Map(own.map((name, id) => [name, id]));
    const found = new Set(names.map(spelled));
    if (known.length > 0 && ids.size === known.length && isSameSet(found, ids))
      return {
        labels: known,
        areTheModels: true,
        idOf: (label) => ids.get(spelled(label)),
        note: `the classes are the model's, with its ids and its head: ${numbered(known)}`,
      };
  }
  const labels = names.every(isNumber) ? names.sort(byValue) : names.sort();
  const ids = new Map(labels.map((name, id) => [name, id]));
  return {
    labels,
    areTheModels: false,
    idOf: (label) => ids.get(label),
    note:
      (known.length === 0
        ? 'the classes are '
        : `the model has other classes (${listed(known)}), so its head is replaced by a new one; the classes are `) +
      numbered(labels),
  };
}

/**
 * How texts may spell a model's classes: as it does; in another case, as GLUE's labels are spelled; and, where the
 * model was given no names, by the ids that transformers' `LABEL_0` stand for.
 */
function spellings(known: readonly string[]): { spelled: (name: string) => string; own: readonly string[] }[] {
  const asItIs = (name: string): string => name;
  const inLowerCase = (name: string): string => name.toLowerCase();
  const isUnnamed = known.every((name, id) => name === `LABEL_${id}`);
  return [
    { spelled: asItIs, own: known },
    { spelled: inLowerCase, own: known.map(inLowerCase) },
    ...(isUnnamed ? [{ spelled: asItIs, own: known.map((_, id) => String(id)) }] : []),
  ];
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}

function numbered(labels: readonly string[]): string {
  return listed(labels.map((label, id) => `${id} ${label}`));
}

function isNumber(name: string): boolean {
  return name.trim() !== '' && Number.isFinite(Number(name));
}

/** `1` and `1.0` are two names of one value: any order, as long as it is always the same. */
function byValue(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : 1);
}
