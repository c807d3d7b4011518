import type { Diagnostic } from '../core/diagnostic.ts';
import type { Result } from '../core/result.ts';
import type { Installable } from '../backends/installation.ts';

/** A PyTorch or TensorFlow package on this machine. */
export interface Package {
  /** Folder of the Python package, with its headers and libraries. */
  readonly folder: string;
  readonly version: string;
  readonly cuda: boolean;
  /** The library that the bridge is linked against. */
  readonly library: string;
  /** The Python whose package it is; absent if only its folder was named. */
  readonly python?: string;
}

/** Parameters of a compilation. */
export interface CompileJob {
  readonly package: Package;
  readonly compiler: string;
  /** The file to write. */
  readonly output: string;
  readonly modules: string | undefined;
  readonly signal: AbortSignal;
}

/** The specifics of setting up one backend; the steps are the same for all. */
export interface Recipe {
  readonly backend: Installable;
  /** The library's name as its users write it, and as Python imports it. */
  readonly title: string;
  readonly module: string;
  /** Minor versions of Python 3 that have packages. */
  readonly pythons: readonly [oldest: number, newest: number];
  /** Minor versions of the package's version 2 that are used if found; others are used only if the user names them. */
  readonly versions: readonly [oldest: number, newest: number];
  readonly bridgeName: string;
  /** What pip installs. */
  requirement(cuda: boolean): string;
  /** Further arguments for pip: the index of smaller packages without CUDA. */
  pipArguments(cuda: boolean): readonly string[];
  /** Inspect a package folder without loading the package. */
  inspect(folder: string): Promise<Result<Omit<Package, 'python'>, Diagnostic>>;
  /** Download the npm package that drives the bridge, if any, into a folder that appears once it is complete. */
  fetchModules?(target: string, scratch: string, signal: AbortSignal): Promise<Result<string, Diagnostic>>;
  compile(job: CompileJob): Promise<Result<void, Diagnostic>>;
}

/** The failure for a folder that cannot be used, with the reason. */
export function unusable(title: string, folder: string, why: string): Diagnostic {
  return {
    code: 'package-unusable',
    message: `${folder} is not a ${title} folder to link against: ${why}.`,
    help:
      'Name a folder that contains its headers and libraries: that of the package in site-packages, as pip installs ' +
      'it.',
  };
}
