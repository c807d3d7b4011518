import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCodes, printError, refuse } from './exit.ts';

/* Every command's code is loaded when it is called, so that a fully cached run starts fast. */

const program = new Command('run-pipeline')
  .description(
    'Run a pipeline that pretrains a RoBERTa-style language model: runs stale stages and reuses cached results.',
  )
  .version('0.1.0')
  .exitOverride()
  .showHelpAfterError('(run-pipeline --help lists commands and options)')
  .enablePositionalOptions();

const collect = (value: string, all: readonly string[]): string[] => [...all, value];

/** A command on a pipeline file, with the options that these commands share. */
function pipelineCommand(name: string, description: string, options: { isDefault?: boolean } = {}): Command {
  return program
    .command(name, options)
    .description(description)
    .argument('[pipeline]', 'pipeline file; searched for here, then in ./pipelines', 'pipeline.yaml')
    .option(
      '--set <path=value>',
      'override a value, such as vars.vocab_size=8192 or stages.mask.with.rate=0.3 (repeatable)',
      collect,
      [],
    )
    .option('--store <dir>', 'folder for results (default: $RUN_PIPELINE_STORE, or .run-pipeline in the project)');
}

const json = (): Option => new Option('--json', 'print one JSON object per line');

pipelineCommand('run', 'run stale stages (the default command)', { isDefault: true })
  .addOption(json())
  .option('-j, --jobs <n>', 'maximum number of parallel actions (default: number of cores)', wholeNumberFrom(1))
  .option('-k, --keep-going', 'after a failure, continue with stages that do not depend on it')
  .option('--verify', 'check the digest of every cached artifact before it is used')
  .option('-n, --dry-run', 'print what would run, and stop')
  .action(
    async (
      pipeline: string,
      options: {
        dryRun?: boolean;
        json?: boolean;
        set: string[];
        store?: string;
        jobs?: number;
        keepGoing?: boolean;
        verify?: boolean;
      },
    ) => {
      process.exitCode = options.dryRun
        ? await (await import('./plan.ts')).planCommand(pipeline, options)
        : await (await import('./run.ts')).runCommand(pipeline, options);
    },
  );

pipelineCommand('plan', 'print what a run would do, stage by stage')
  .addOption(json())
  .action(async (pipeline: string, options: { json?: boolean; set: string[]; store?: string }) => {
    process.exitCode = await (await import('./plan.ts')).planCommand(pipeline, options);
  });

pipelineCommand('explain', 'explain why each stage would run: changed ingredients with old and new values')
  .addOption(json())
  .option('--stage <name>', 'only this stage')
  .action(async (pipeline: string, options: { json?: boolean; set: string[]; store?: string; stage?: string }) => {
    process.exitCode = await (await import('./plan.ts')).planCommand(pipeline, { ...options, explain: true });
  });

pipelineCommand('validate', 'check a pipeline file and report every problem')
  .addOption(json())
  .action(async (pipeline: string, options: { json?: boolean; set: string[]; store?: string }) => {
    process.exitCode = await (await import('./validate.ts')).validateCommand(pipeline, options);
  });

pipelineCommand('graph', 'print the stage graph')
  .addOption(new Option('--format <format>', 'text format').choices(['mermaid', 'dot']).default('mermaid'))
  .action(async (pipeline: string, options: { set: string[]; store?: string; format: 'mermaid' | 'dot' }) => {
    process.exitCode = await (await import('./validate.ts')).graphCommand(pipeline, options);
  });

program
  .command('stages')
  .description('list the stage types, or document one from its schema')
  .argument('[type]', 'stage type, or ./file.ts')
  .addOption(json())
  .action(async (type: string | undefined, options: { json?: boolean }) => {
    process.exitCode = await (await import('./validate.ts')).stagesCommand(type, options);
  });

storeOption(program.command('runs').description('list the runs of the store, newest first'))
  .addOption(json())
  .action(async (options: { store?: string; json?: boolean }) => {
    process.exitCode = (await import('./runs.ts')).runsCommand(options);
  });

storeOption(program.command('logs').description('print the log of a run'))
  .argument('[run]', 'run id (default: the newest)')
  .option('--stage <name>', 'only this stage')
  .option('--json', 'print the journal unchanged')
  .action(async (run: string | undefined, options: { store?: string; json?: boolean; stage?: string }) => {
    process.exitCode = (await import('./runs.ts')).logsCommand(run, options);
  });

const cache = program.command('cache').description('inspect and clean the store');
storeOption(cache.command('ls').description('list cached results with their sizes'))
  .addOption(json())
  .action(async (options: { store?: string; json?: boolean }) => {
    process.exitCode = (await import('./cache.ts')).cacheLs(options);
  });
storeOption(cache.command('verify').description('check every object; the next run rebuilds damaged ones'))
  .addOption(json())
  .action(async (options: { store?: string; json?: boolean }) => {
    process.exitCode = (await import('./cache.ts')).cacheVerify(options);
  });
storeOption(cache.command('gc').description('remove results not used recently'))
  .option(
    '--keep-days <n>',
    'keep results used in the last n days, and the latest of every stage',
    wholeNumberFrom(0),
    14,
  )
  .option('-n, --dry-run', 'print what would be removed')
  .addOption(json())
  .action(async (options: { store?: string; keepDays: number; dryRun?: boolean; json?: boolean }) => {
    process.exitCode = (await import('./cache.ts')).cacheGc(options);
  });

program
  .command('init')
  .description('create a starter pipeline file')
  .argument('[folder]', 'where', '.')
  .action(async (folder: string) => {
    process.exitCode = (await import('./init.ts')).initCommand(folder);
  });
program
  .command('setup')
  .description('set up a faster backend: find or install its library, compile the bridge, test it')
  .addArgument(new Argument('<backend>', 'which').choices(['torch', 'tensorflow']))
  .option('--python <exe>', 'use PyTorch or TensorFlow from this Python')
  .option('--torch-dir <dir>', 'use this PyTorch or libtorch folder')
  .option('--tensorflow-dir <dir>', 'use this TensorFlow folder')
  .option('--force', 'repeat every step')
  .action(
    async (
      backend: 'torch' | 'tensorflow',
      options: { python?: string; torchDir?: string; tensorflowDir?: string; force?: boolean },
    ) => {
      process.exitCode = await (await import('./setup.ts')).setupCommand(backend, options);
    },
  );
storeOption(program.command('doctor').description('check the machine, the store and the backend'))
  .addOption(json())
  .action(async (options: { store?: string; json?: boolean }) => {
    process.exitCode = await (await import('./doctor.ts')).doctorCommand(options);
  });

for (const command of program.commands) command.exitOverride();
for (const command of cache.commands) command.exitOverride();

try {
  await refuseUnknownCommand(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.badInput;
  else process.exitCode = await unexpected(error);
}

/** The first word is a command or a pipeline file. A plain word that is neither is more likely a mistyped command. */
async function refuseUnknownCommand(word: string | undefined): Promise<void> {
  const names = program.commands.map((command) => command.name());
  if (
    word === undefined ||
    !/^[a-z]+$/.test(word) ||
    word === 'help' ||
    names.includes(word) ||
    existsSync(word) ||
    existsSync(join('pipelines', word))
  )
    return;
  const { fail } = await import('../core/diagnostic.ts');
  const { suggest } = await import('../pipeline/suggest.ts');
  fail('unknown-command', `unknown command or pipeline file \`${word}\``, suggest(word, names, 'commands'));
}

function storeOption(command: Command): Command {
  return command.option(
    '--store <dir>',
    'folder of the store (default: $RUN_PIPELINE_STORE, or .run-pipeline in the project)',
  );
}

function wholeNumberFrom(least: number): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < least)
      throw new InvalidArgumentError(`it must be a whole number, at least ${least}.`);
    return Number(text);
  };
}

async function unexpected(error: unknown): Promise<number> {
  const { Failure } = await import('../core/diagnostic.ts');
  if (error instanceof Failure) return refuse([error.diagnostic]);
  printError(error instanceof Error ? (error.stack ?? error.message) : String(error));
  printError('This is a bug in run-pipeline: please report it with the output above.');
  return exitCodes.stageFailed;
}
