import type { Diagnostic } from '../core/diagnostic.ts';
import type { Result } from '../core/result.ts';
import type { Installable } from '../backends/installation.ts';

/** A PyTorch or TensorFlow that is on this machine. */
export interface Package {
  /** Folder of the Python package, with its headers and libraries. */
  readonly folder: string;
  readonly version: string;
  readonly cuda: boolean;
  /** The library that the bridge is linked against. */
  readonly library: string;
  /** The Python whose package it is; absent when only its folder was named. */
  readonly python?: string;
}

/** What a compilation needs to know. */
export interface CompileJob {
  readonly package: Package;
  readonly compiler: string;
  /** The file to write. */
  readonly output: string;
  readonly modules: string | undefined;
  readonly signal: AbortSignal;
}

/** What the setup of one backend has of its own; the steps are the same for all. */
export interface Recipe {
  readonly backend: Installable;
  /** The library's name as its users write it, and as Python imports it. */
  readonly title: string;
  readonly module: string;
  /** Minor versions of Python 3 for which there are packages. */
  readonly pythons: readonly [oldest: number, newest: number];
  /**
   * Minor versions of the package's version 2 that are used where they are found; others only when the user names them.
   */
  readonly versions: readonly [oldest: number, newest: number];
  readonly bridgeName: string;
  /** What pip installs. */
  requirement(cuda: boolean): string;
  /** More arguments for pip: where smaller packages without CUDA are. */
  pipArguments(cuda: boolean): readonly string[];
  /** Read a package folder, without loading anything of it. */
  inspect(folder: string): Promise<Result<Omit<Package, 'python'>, Diagnostic>>;
  /** Fetch the npm package that drives the bridge, if there is one, into a folder that appears when it is complete. */
  fetchModules?(target: string, scratch: string, signal: AbortSignal): Promise<Result<string, Diagnostic>>;
  compile(job: CompileJob): Promise<Result<void, Diagnostic>>;
}

/** A folder that is not what it should be, and why not. */
export function unusable(title: string, folder: string, why: string): Diagnostic {
  return {
    code: 'package-unusable',
    message: `${folder} is no ${title} to link against: ${why}.`,
    help:
      'Name a folder that holds its include and libraries: that of the package in site-packages, as pip installs ' +
      'it.',
  };
}
