// The same job put to run-pipeline, wireit and turbo: `prepare` writes a project into a folder, `argv` runs it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const runPipeline = [process.execPath, join(root, 'bin/run-pipeline.js')];

/** What turbo must be told not to do: send statistics, keep a daemon, ask for updates. */
const turboEnv = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

/** A fresh folder with wireit and turbo in it. */
export function project() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'bench', private: true, packageManager: `npm@${npmVersion()}` }),
  );
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', 'wireit', 'turbo'], { cwd: folder });
  return folder;
}

const npmVersion = () => execFileSync('npm', ['--version'], { encoding: 'utf8' }).trim();

/**
 * Write tasks `{ id, command, needs, files, output }` as wireit scripts and as turbo tasks; `all` waits for every one.
 * Two package.json can't lie in one folder, so turbo's scripts get the prefix `t:`.
 */
export function writePeers(folder, tasks) {
  const file = join(folder, 'package.json');
  const plain = { name: 'bench', private: true, packageManager: `npm@${npmVersion()}` };
  writeFileSync(
    file,
    JSON.stringify({
      ...plain,
      scripts: {
        all: 'wireit',
        't:all': 'true',
        ...Object.fromEntries(
          tasks.flatMap(({ id, command }) => [
            [id, 'wireit'],
            [`t:${id}`, command('t-')],
          ]),
        ),
      },
      wireit: {
        all: { dependencies: tasks.map(({ id }) => id) },
        ...Object.fromEntries(
          tasks.map(({ id, command, needs, files, output }) => [
            id,
            { command: command(''), files, output: [output], dependencies: needs },
          ]),
        ),
      },
    }),
  );
  writeFileSync(
    join(folder, 'turbo.json'),
    JSON.stringify({
      tasks: {
        't:all': { dependsOn: tasks.map(({ id }) => `t:${id}`), inputs: ['turbo.json'] },
        ...Object.fromEntries(
          tasks.map(({ id, needs, files, output }) => [
            `t:${id}`,
            {
              dependsOn: needs.map((need) => `t:${need}`),
              inputs: files.length > 0 ? files : ['turbo.json'],
              outputs: [`t-${output}`],
            },
          ]),
        ),
      },
    }),
  );
}

export const wireit = (cwd) => ({ argv: ['npm', 'run', '--silent', 'all'], cwd });
export const turbo = (cwd) => ({
  argv: [join(cwd, 'node_modules/.bin/turbo'), 'run', 't:all', '--output-logs=none'],
  cwd,
  env: turboEnv,
});
export const ours = (cwd, ...args) => ({ argv: [...runPipeline, ...args], cwd });
