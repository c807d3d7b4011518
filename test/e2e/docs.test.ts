import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { rowsOf } from '../rig/artifact.ts';
import { Project, root } from '../rig/project.ts';

/** A fenced block of a document. */
interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** Why it cannot run here: `<!-- not run: … -->` on the line before. */
  readonly notRun: string | undefined;
}

type Yaml = Record<string, unknown>;
type Stages = Record<string, { uses?: string }>;

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)];
const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');
const blocks = new Map(documents.map((document) => [document, blocksOf(textOf(document))]));
/** Stage types that train: pipelines with one are planned rather than run. */
const isLong = (yaml: Yaml): boolean =>
  Object.values(yaml['stages'] as Stages).some(({ uses = '' }) => ['pretrain', 'fine-tune'].includes(uses));

describe.each(documents)('%s', (document) => {
  const own = blocks.get(document)!;
  const project = new Project({});
  for (const folder of ['samples', 'pipelines', 'schemas'])
    cpSync(join(root, folder), project.path(folder), { recursive: true });
  for (const { text, language } of own) {
    const name = nameOf(text, language);
    if (name !== undefined) project.write(name, text);
  }

  it('has links that lead somewhere', () => {
    const links = [...textOf(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
  });

  it.each(
    own.filter(({ notRun }) => notRun === undefined).map((block) => [`line ${block.line}, ${block.language}`, block]),
  )('%s', async (_, { language, text, line }) => {
    if (language === 'sh') return sh(project, text);
    if (language === 'ts') return succeed(project, 'stages', `./${nameOf(text, language)!}`);
    if (language !== 'yaml') return expect(language, 'a language that is checked, or text').toBe('text');
    const yaml = parse(text) as Yaml;
    // A recipe is loaded by the pipeline that uses it.
    if ('outputs' in yaml) {
      const name = nameOf(text, language)!;
      return expect(
        own.filter((other) => other.text.includes(`uses: ./${name}`)),
        name,
      ).not.toEqual([]);
    }
    let file = nameOf(text, language);
    let whole = yaml;
    if (file === undefined) {
      whole = withFragment(pipelineBefore(own, line), yaml);
      file = `line-${line}.yaml`;
      project.write(file, stringify(whole));
    }
    await succeed(project, 'validate', file);
    await succeed(project, isLong(whole) ? 'plan' : 'run', file);
  });
});

it('few blocks are marked as not run', () => {
  const all = [...blocks].flatMap(([document, own]) => own.map((block) => ({ document, ...block })));
  const marked = all.filter(({ notRun }) => notRun !== undefined);
  expect(marked.map(({ document, notRun }) => `${document}: ${notRun}`)).toEqual([
    'README.md: installs packages and runs these tests',
    'README.md: installs a package',
    'docs/gpus-and-backends.md: downloads and compiles',
    'docs/gpus-and-backends.md: needs an NVIDIA GPU',
  ]);
  expect(marked.length / all.length).toBeLessThan(0.15);
});

it('guides are listed in README.md', () => {
  for (const document of documents.slice(1)) expect(textOf('README.md')).toContain(`(${document})`);
});

describe('what the examples of README.md leave', () => {
  const own = blocks.get('README.md')!;
  const project = new Project({});
  cpSync(join(root, 'samples'), project.path('samples'), { recursive: true });
  for (const { text, language } of own) {
    const name = nameOf(text, language);
    if (name !== undefined) project.write(name, text);
  }

  it('every stage of the pipeline runs', async () => {
    expect(await project.states('small.yaml')).toEqual({
      wikipedia: 'ran',
      cleaned: 'ran',
      long: 'ran',
      tokenizer: 'ran',
      'tokenizer/words': 'ran',
      'tokenizer/bpe': 'ran',
      tokens: 'ran',
      merges: 'ran',
    });
    expect(Number(project.read('outputs/small/merges/count'))).toBeGreaterThan(1000);
    const lengths = (await rowsOf(project.path('outputs/small/long'))).map(({ text }) => String(text).length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1000);
    const { stdout } = await project.run('logs', '--stage', 'long');
    expect(stdout).toMatch(/dropped\.short [1-9]/);
  });
});

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/(?:^<!-- not run: (.+) -->\n)?^```(\w*)\n([^]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    language: match[2]!,
    text: match[3]!,
    notRun: match[1],
  }));
}

/** The file that a block is: named in its first line, `# small.yaml` or `// short.ts`. */
function nameOf(text: string, language: string): string | undefined {
  return language === 'yaml' || language === 'ts' ? /^(?:#|\/\/) ([\w-]+\.(?:yaml|ts))\b/.exec(text)?.[1] : undefined;
}

/** The last whole pipeline before a line: what a fragment changes. */
function pipelineBefore(own: readonly Block[], line: number): Yaml {
  const before = own
    .filter((block) => block.line < line && nameOf(block.text, block.language)?.endsWith('.yaml'))
    .map(({ text }) => parse(text) as Yaml)
    .findLast((yaml) => !('outputs' in yaml));
  if (before === undefined) throw new Error(`line ${line} is not a whole pipeline, and there is none before it`);
  return before;
}

/** A pipeline with some of its stages, or some of its other properties, replaced. */
function withFragment(pipeline: Yaml, fragment: Yaml): Yaml {
  const { properties } = JSON.parse(readFileSync(join(root, 'schemas/pipeline.schema.json'), 'utf8')) as {
    properties: Yaml;
  };
  const isProperty = (name: string): boolean => name in properties;
  const { stages = {}, ...others } = Object.keys(fragment).some(isProperty) ? fragment : { stages: fragment };
  return { ...pipeline, ...others, stages: { ...(pipeline['stages'] as Stages), ...(stages as Stages) } };
}

async function succeed(project: Project, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await project.run(...args);
  expect(code, `run-pipeline ${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
}

/** Run a block in bash, where `npx run-pipeline` is this checkout's and only plans what would train. */
function sh(project: Project, script: string): void {
  const long = ['', 'pipelines/'].flatMap((folder) =>
    readdirSync(project.path(folder))
      .filter((file) => file.endsWith('.yaml'))
      .filter((file) => isLong(parse(project.read(folder + file)) as Yaml))
      .flatMap((file) => [file, folder + file]),
  );
  mkdirSync(project.path('bin'), { recursive: true });
  project.write(
    'bin/npx',
    `#!/usr/bin/env bash
[ "$1" = run-pipeline ] || { echo "unexpected: npx $*" >&2; exit 1; }
shift
[ "\${1:-}" != run ] || shift
case " ${long.join(' ')} " in *" \${1:-pipeline.yaml} "*) set -- plan "$@" ;; esac
exec '${process.execPath}' '${join(root, 'bin/run-pipeline.js')}' "$@"
`,
  );
  chmodSync(project.path('bin/npx'), 0o755);
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: project.folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${project.path('bin')}:${process.env['PATH']}`,
      RUN_PIPELINE_BACKENDS: project.path('.backends'),
      NO_COLOR: '1',
    },
  });
  expect(status, `${script}\n${stdout}${stderr}`).toBe(0);
}
