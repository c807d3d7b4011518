import { mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, Failure } from '../core/diagnostic.ts';
import { sha256 } from '../core/digest.ts';

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Attempts without any progress before giving up. */
  readonly retries?: number;
  /** First pause between attempts; doubles up to a minute. A server's Retry-After takes precedence. */
  readonly backoffMs?: number;
  /** Timeout for a connection that sends nothing. */
  readonly idleTimeoutMs?: number;
  /** Folder for incomplete downloads, used by one process at a time; default: the target folder. */
  readonly partials?: string;
  /** Whether the caller checks the content's digest, so that a finished file need not be compared with the server's. */
  readonly pinned?: boolean;
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
  readonly log?: (message: string) => void;
}

/** The file that a partial download belongs to; resumed only if the server still has the same version. */
interface Partial {
  readonly url: string;
  readonly validator: string;
  readonly total?: number;
}

const RETRY_STATUS = new Set([403, 408, 425, 429, 500, 502, 503, 504]);
const MAX_PAUSE_MS = 60_000;
const MAX_RETRY_AFTER_MS = 15 * 60_000;

/**
 * Download a URL into a folder and return the path, resuming an earlier attempt. A finished file is reused unless the
 * server reports a different version. Dropped connections and 429/403/5xx are retried with back-off, the length is
 * checked, and an HTML page is rejected where data was expected.
 */
export async function download(url: string, folder: string, options: DownloadOptions = {}): Promise<string> {
  const { retries = 8, backoffMs = 1000, signal } = options;
  await mkdir(folder, { recursive: true });
  const target = join(folder, fileNameOf(url));
  if (await isCurrent(url, target, options)) return target;
  const partials = options.partials ?? folder;
  await mkdir(partials, { recursive: true });
  const partial = join(partials, `${fileNameOf(url)}.part`);
  let failures = 0;
  for (;;) {
    const before = (await sizeOf(partial)) ?? 0;
    try {
      await fetchRest(url, partial, options);
      await rename(`${partial}.json`, `${target}.json`);
      await rename(partial, target);
      return target;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Failure) throw error;
      const progressed = ((await sizeOf(partial)) ?? 0) > before;
      failures = progressed ? 1 : failures + 1;
      if (failures > retries)
        fail(
          'download-failed',
          `${url}: ${describe(error)}, ${failures} times in a row`,
          'Check the URL and the network; the next run resumes where this one stopped.',
          error,
        );
      const pause =
        error instanceof Retry && error.afterMs !== undefined
          ? error.afterMs
          : Math.min(MAX_PAUSE_MS, backoffMs * 2 ** (failures - 1));
      options.log?.(`${url}: ${describe(error)}; retrying in ${Math.ceil(pause / 1000)} s`);
      await sleep(pause, undefined, signal ? { signal } : {});
    }
  }
}

/**
 * Whether a finished download can be used: it is complete and the server, if it answers, still has the same version.
 * Marks it as used.
 */
async function isCurrent(url: string, target: string, options: DownloadOptions): Promise<boolean> {
  const size = await sizeOf(target);
  if (size === undefined) return false;
  const known = await readPartial(target, url);
  const now = new Date();
  for (const path of [target, `${target}.json`]) await utimes(path, now, now).catch(() => {});
  if (options.pinned === true || known === undefined) return true;
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.idleTimeoutMs ?? 60_000),
    ...(options.signal ? [options.signal] : []),
  ]);
  try {
    const response = await fetch(url, { method: 'HEAD', signal, headers });
    const validator = validatorOf(response);
    if (!response.ok || validator === '' || validator === known.validator) return true;
    options.log?.(`${url}: the server has a different version than the earlier download; downloading it again`);
    return false;
  } catch (error) {
    options.signal?.throwIfAborted();
    options.log?.(`${url}: ${describe(error)}; using the earlier download`);
    return true;
  }
}

class Retry extends Error {
  readonly afterMs: number | undefined;
  constructor(message: string, afterMs?: number) {
    super(message);
    this.afterMs = afterMs;
  }
}

/** Request the bytes that are still missing. */
async function fetchRest(url: string, partial: string, options: DownloadOptions): Promise<void> {
  const known = await readPartial(partial, url);
  const have = known === undefined ? 0 : ((await sizeOf(partial)) ?? 0);
  if (known?.total !== undefined && have === known.total) return;

  const watchdog = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, watchdog.signal]) : watchdog.signal;
  const idle = () =>
    setTimeout(() => watchdog.abort(new Retry('the server sent nothing')), options.idleTimeoutMs ?? 60_000);
  let timer = idle();
  try {
    const response = await fetch(url, {
      signal,
      headers: { ...headers, ...(have > 0 ? { range: `bytes=${have}-`, 'if-range': known?.validator ?? '' } : {}) },
    });
    if (response.status === 416) {
      await rm(partial, { force: true });
      throw new Retry('the part on disk does not match the file on the server');
    }
    if (RETRY_STATUS.has(response.status)) throw new Retry(`status ${response.status}`, retryAfter(response));
    if (!response.ok)
      fail(
        'download-failed',
        `${url}: the server answered ${response.status} ${response.statusText}`.trim(),
        'Check the URL.',
      );
    refuseHtml(url, response);

    const start = response.status === 206 ? rangeStart(response) : 0;
    if (start !== 0 && start !== have) throw new Retry('the server sent a different range than requested');
    const length = response.headers.get('content-length');
    const total = length === null ? undefined : start + Number(length);
    const validator = validatorOf(response);
    await writeFile(
      `${partial}.json`,
      JSON.stringify({ url, validator, total } satisfies { url: string; validator: string; total: number | undefined }),
    );

    const file = await open(partial, start === 0 ? 'w' : 'a');
    let written = start;
    try {
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = idle();
        await file.write(chunk as Uint8Array);
        written += (chunk as Uint8Array).length;
        options.onProgress?.(written, total);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (total !== undefined && written !== total)
      throw new Retry(`the connection ended after ${written} of ${total} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

/** `identity`: a transparent Content-Encoding would break lengths and ranges. */
const headers = { 'accept-encoding': 'identity', 'user-agent': 'run-pipeline' };

/** Identifies the version of a file; empty when the server sends nothing that is exact to the byte. */
function validatorOf(response: Response): string {
  const validator = response.headers.get('etag') ?? response.headers.get('last-modified') ?? '';
  return validator.startsWith('W/') ? '' : validator;
}

/** The file that the part on disk belongs to; undefined when it can't be resumed safely. */
async function readPartial(partial: string, url: string): Promise<Partial | undefined> {
  try {
    const known = JSON.parse(await readFile(`${partial}.json`, 'utf8')) as Partial;
    return known.url === url && known.validator !== '' ? known : undefined;
  } catch {
    return undefined;
  }
}

function refuseHtml(url: string, response: Response): void {
  const type = response.headers.get('content-type') ?? '';
  if (/^text\/html/i.test(type) && !/\.html?$/i.test(new URL(url).pathname))
    fail(
      'not-a-dump',
      `${url}: the server sent an HTML page instead of the file`,
      'Open the URL in a browser: the file may have moved or require a login.',
    );
}

function retryAfter(response: Response): number | undefined {
  const value = response.headers.get('retry-after');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

function rangeStart(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? -1);
}

/** The URL's own file name after a digest of the whole URL, so that two `data.gz` never collide. */
function fileNameOf(url: string): string {
  const digest = sha256(url).slice(0, 12);
  const name =
    new URL(url).pathname
      .split('/')
      .at(-1)
      ?.replace(/[^\w.-]/g, '_')
      .slice(-80) ?? '';
  return `${digest}-${name === '' ? 'download' : name}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return error instanceof Error ? `${error.message}${cause}` : String(error);
}
