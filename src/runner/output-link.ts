import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileName } from '../store/layout.ts';

/**
 * Let `<folder>/<stage>` (or `<folder>/<stage>/<port>` when there are several ports) lead to the artifacts' folders. A
 * link is replaced in one step, so it always leads somewhere. Returns the links by port.
 */
export function linkOutputs(folder: string, stage: string, targets: Readonly<Record<string, string>>): Record<string, string> {
  const place = join(folder, fileName(stage));
  const ports = Object.keys(targets);
  const links: Record<string, string> = {};
  for (const port of ports) {
    const path = ports.length === 1 ? place : join(place, fileName(port));
    const target = targets[port];
    if (target === undefined) continue;
    if (ports.length > 1) makeRoomForFolder(place);
    point(path, relative(ports.length === 1 ? folder : place, target));
    links[port] = path;
  }
  return links;
}

function point(path: string, target: string): void {
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // Nothing there yet, or a folder of links.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeLinkFolder(path);
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

function makeRoomForFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(path);
}

/** A folder of links from when the stage had more ports; a user's own files in it are left, and the caller told. */
function removeLinkFolder(path: string): void {
  for (const name of readdirSync(path)) if (lstatSync(join(path, name)).isSymbolicLink()) rmSync(join(path, name));
  rmdirSync(path);
}
