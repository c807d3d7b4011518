import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BackendChoice } from '../core/backend.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { err, ok, type Result } from '../core/result.ts';
import { lastLines } from './command.ts';
import type { SelfCheckAnswer } from './self-check-main.ts';

/** Allowed relative difference of losses: float32 sums in another order, amplified by one AdamW step. */
const tolerance = 2e-3;

/**
 * Train the tiny model for one step in a fresh process, on the backend and on wasm. Returns both pairs of losses as
 * text.
 */
export function checkBackend(choice: BackendChoice, signal: AbortSignal): Promise<Result<string, Diagnostic>> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL('./self-check-main.js', import.meta.url)), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      signal,
    });
    let said = '';
    let answer: SelfCheckAnswer | undefined;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('message', (message: SelfCheckAnswer) => {
      answer = message;
    });
    child.once('error', (error) => {
      said += error.message;
    });
    child.once('close', (code, ended) => {
      resolve(
        answer === undefined
          ? err(
              broken(
                choice,
                `it ended with ${ended ?? `exit code ${code}`}${said === '' ? '' : `:\n${lastLines(said)}`}`,
              ),
            )
          : judge(choice, answer),
      );
    });
    child.send(choice, () => {});
  });
}

function judge(choice: BackendChoice, answer: SelfCheckAnswer): Result<string, Diagnostic> {
  if ('problem' in answer) return err(broken(choice, answer.problem));
  const text = (values: readonly number[]): string => values.map((value) => value.toFixed(4)).join(' → ');
  const both = `loss ${text(answer.losses)}, on wasm ${text(answer.reference)}`;
  const close =
    answer.losses.length === answer.reference.length &&
    answer.losses.every(
      (value, i) => Math.abs(value - (answer.reference[i] ?? Number.NaN)) <= tolerance * Math.abs(value),
    );
  return close ? ok(both) : err(broken(choice, `its results differ from those of wasm: ${both}`));
}

function broken(choice: BackendChoice, what: string): Diagnostic {
  return {
    code: 'self-check-failed',
    message: `${choice.name} ${choice.version} fails its training step on ${choice.device}: ${what}`,
    help:
      choice.device === 'cuda'
        ? 'Check that the NVIDIA driver is new enough for the CUDA of this package (nvidia-smi); ' +
          '`CUDA_VISIBLE_DEVICES= npx run-pipeline setup` sets up for the CPU.'
        : `Try \`npx run-pipeline setup ${choice.name} --force\`, which repeats every step.`,
  };
}
