import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileName } from '../store/layout.ts';

/** Folder of the links to the outputs of a composite stage's steps, next to its own. */
export const stepsFolder = (composite: string): string => `${fileName(composite)}.steps`;

/**
 * Link `<folder>/<stage>` to the folder of the stage's main output and `<folder>/<stage>.<port>` to the others: the
 * names that a pipeline refers to them by. A link is replaced atomically, so it is never missing. Returns the links by
 * port.
 */
export function linkOutputs(
  folder: string,
  stage: string,
  main: string | undefined,
  targets: Readonly<Record<string, string>>,
): Record<string, string> {
  const place = join(folder, fileName(stage));
  if (main === undefined) removeLink(place);
  const links = Object.fromEntries(
    Object.keys(targets).map((port) => [port, port === main ? place : `${place}.${fileName(port)}`]),
  );
  for (const [port, target] of Object.entries(targets)) point(links[port] ?? place, relative(folder, target));
  return links;
}

function point(path: string, target: string): void {
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // Nothing there yet.
  }
  mkdirSync(dirname(path), { recursive: true });
  const draft = join(dirname(path), `.${randomBytes(6).toString('hex')}`);
  symlinkSync(target, draft);
  try {
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Left from when the stage had a main output. */
function removeLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(path);
}
