import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../core/diagnostic.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readText, writeAtomic } from '../store/files.ts';
import type { Recipe, Package } from './recipe.ts';
import { lastLines, runCommand } from './command.ts';
import { installCommand } from './distribution.ts';

/** A Python, and the package it imports under a name, if any. */
interface Python {
  readonly executable: string;
  readonly version: readonly [major: number, minor: number];
  /** Whether it can make virtual environments with pip in them. */
  readonly venv: boolean;
  readonly folder: string | null;
}

// Finds a package without importing it, which would take seconds. Has no newline, so that a shell script can stand in
// for Python.
const probe =
  'import sys, json, importlib.util as u; name = sys.argv[1]; s = u.find_spec(name); ' +
  "print(json.dumps({'executable': sys.executable, 'version': sys.version_info[:2], 'venv': " +
  "bool(u.find_spec('venv') and u.find_spec('ensurepip')), 'folder': list(s.submodule_search_locations)[0] if s " +
  'and s.submodule_search_locations else None}))';

async function ask(executable: string, recipe: Recipe, signal: AbortSignal): Promise<Python | undefined> {
  const { code, stdout } = await runCommand(executable, ['-c', probe, recipe.module], { signal, cwd: '/' });
  if (code !== 0) return undefined;
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Python;
  } catch {
    return undefined;
  }
}

/** The package that a Python imports; fails if it does not have it. */
export async function packageOf(
  executable: string,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<Result<Package, Diagnostic>> {
  const python = await ask(executable, recipe, signal);
  if (python === undefined)
    return err({
      code: 'python-missing',
      message: `${executable} is not a working Python.`,
      help: 'Give --python the path of a Python 3 executable.',
    });
  if (python.folder === null)
    return err({
      code: 'package-missing',
      message: `${executable} does not have ${recipe.title}.`,
      help:
        `Install it with \`${executable} -m pip install '${recipe.requirement(false)}'\`, or omit --python ` +
        'and setup installs it.',
    });
  const found = await recipe.inspect(python.folder);
  return found.ok ? ok({ ...found.value, python: python.executable }) : found;
}

/** The package of the user's active Python, if it is a supported version and has CUDA where needed. */
export async function findActive(recipe: Recipe, cuda: boolean, signal: AbortSignal): Promise<Package | undefined> {
  const found = await packageOf('python3', recipe, signal);
  if (!found.ok) return undefined;
  const [major, minor] = found.value.version.split('.').map(Number);
  const [oldest, newest] = recipe.versions;
  return major === 2 && minor !== undefined && minor >= oldest && minor <= newest && (found.value.cuda || !cuda)
    ? found.value
    : undefined;
}

/** A Python to create a virtual environment with. */
export async function findBasePython(recipe: Recipe, signal: AbortSignal): Promise<Result<string, Diagnostic>> {
  const [oldest, newest] = recipe.pythons;
  const names = [
    'python3',
    ...Array.from({ length: newest - oldest + 1 }, (_, i) => `python3.${newest - i}`),
    'python',
  ];
  const unfit: string[] = [];
  let withoutVenv: string | undefined;
  for (const name of names) {
    const python = await ask(name, recipe, signal);
    if (python === undefined) continue;
    const [major, minor] = python.version;
    if (major !== 3 || minor < oldest || minor > newest) unfit.push(`${name} is ${major}.${minor}`);
    else if (!python.venv) withoutVenv ??= name;
    else return ok(python.executable);
  }
  const range = `3.${oldest} to 3.${newest}`;
  if (withoutVenv !== undefined)
    return err({
      code: 'python-venv-missing',
      message: `${withoutVenv} cannot create virtual environments: its modules venv and ensurepip are missing.`,
      help:
        `Install them with \`${installCommand('python')}\`, then run setup again; or name a Python that has ` +
        `${recipe.title} with --python.`,
    });
  if (unfit.length > 0)
    return err({
      code: 'python-unfit',
      message: `${recipe.title} needs Python ${range}; ${unfit.join(', ')}.`,
      help: `Put a Python ${range} on the PATH, or name one that has ${recipe.title} with --python.`,
    });
  return err({
    code: 'python-missing',
    message: `python3 was not found; ${recipe.title} comes as a Python package.`,
    help: `Install it with \`${installCommand('python')}\`, then run setup again.`,
  });
}

const marker = 'complete.txt';

/** The private environment in which this requirement is completely installed, if any. */
export function findEnvironment(folder: string, requirement: string): string | undefined {
  return environments(folder)
    .map((name) => join(folder, name))
    .find((path) => readText(join(path, marker)) === requirement);
}

/**
 * Install into a new private environment, marked once it is complete. One left by a killed setup is never mistaken for
 * a complete one, and a pip that outlives that setup does no harm. Downloads stay in pip's cache.
 */
export async function installPrivately(
  base: string,
  folder: string,
  recipe: Recipe,
  cuda: boolean,
  signal: AbortSignal,
): Promise<Result<string, Diagnostic>> {
  mkdirSync(folder, { recursive: true });
  const environment = mkdtempSync(join(folder, 'venv-'));
  const made = await runCommand(base, ['-m', 'venv', environment], { signal });
  if (made.code !== 0)
    return err({
      code: 'python-venv-missing',
      message: `${base} cannot create a virtual environment:\n${lastLines(made.output)}`,
      help: `Install what is missing, on this system \`${installCommand('python')}\`, then run setup again.`,
    });
  const requirement = recipe.requirement(cuda);
  const { code, output } = await runCommand(
    join(environment, 'bin/python'),
    [
      '-m',
      'pip',
      'install',
      '--disable-pip-version-check',
      '--no-input',
      '--retries',
      '2',
      ...recipe.pipArguments(cuda),
      requirement,
    ],
    { signal },
  );
  if (code !== 0) return err(pipProblem(requirement, output));
  writeAtomic(join(environment, marker), requirement, folder);
  return ok(environment);
}

function pipProblem(requirement: string, output: string): Diagnostic {
  const said = `:\n${lastLines(output)}`;
  if (/No space left on device/i.test(output))
    return {
      code: 'no-space',
      message: `No space is left on the disk for ${requirement}.`,
      help: 'Free some gigabytes and run setup again.',
    };
  if (
    /Failed to establish a new connection|Temporary failure in name resolution|Could not fetch URL|ReadTimeout|ConnectionError|NewConnectionError|ProxyError/.test(
      output,
    )
  )
    return {
      code: 'no-network',
      message: `pip could not download ${requirement}${said}`,
      help:
        'Check the network (pip takes a mirror from PIP_INDEX_URL, a proxy from HTTPS_PROXY), then run setup ' +
        'again; downloads are kept. Without a network, name an installed one with --python.',
    };
  return {
    code: 'package-not-installed',
    message: `pip could not install ${requirement}${said}`,
    help: 'Fix that, or name a Python that has it with --python.',
  };
}

/** Remove unused environments. */
export function sweepEnvironments(folder: string, keep: string | undefined): void {
  for (const name of environments(folder))
    if (keep === undefined || !keep.startsWith(join(folder, name, '/')))
      rmSync(join(folder, name), { recursive: true, force: true });
}

function environments(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith('venv-'));
  } catch {
    return [];
  }
}
