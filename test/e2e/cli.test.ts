import { existsSync, readFileSync, realpathSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Project } from '../rig/project.ts';

const chain = `name: chain
vars: { word: hello }
stages:
  first:
    run: cat corpus.txt > /dev/null 2>&1 || true; echo "\${{ vars.word }}" > $OUT_FILES/a.txt
    outputs: { files: { contract: files } }
  second:
    run: tr a-z A-Z < $IN_TEXT/a.txt > $OUT_FILES/a.txt
    inputs: { text: first }
    outputs: { files: { contract: files } }
  third:
    run: wc -c < $IN_TEXT/a.txt > $OUT_FILES/a.txt
    inputs: { text: second }
    outputs: { files: { contract: files } }
`;

const userStage = `import { defineStage } from 'run-pipeline';
import { shout } from './shout.ts';
interface Config { prefix: string }
export default defineStage<Config>({
  description: 'Make a document of each file.',
  inputs: {}, outputs: { documents: { contract: 'documents', description: 'one a file' } }, map: 'path',
  config: { type: 'object', additionalProperties: false, required: ['path'], properties: { path: { type: 'string', 'x-source': true }, prefix: { type: 'string', default: '' } } },
  async run(context) {
    const { readFileSync } = await import('node:fs');
    for (const source of context.sources('path')) {
      await context.writer('documents').add({ id: source.name, source: 'mine', snapshot: '', url: '', title: '', text: context.config.prefix + shout(readFileSync(source.uri, 'utf8')), lang: 'en', meta: '{}' });
      context.count('documents');
    }
  },
});
`;

describe('run', () => {
  it('runs what is stale and caches the rest', async () => {
    const project = new Project({ 'p.yaml': chain });
    expect(await project.states('p.yaml')).toEqual({ first: 'ran', second: 'ran', third: 'ran' });
    expect(project.read('outputs/chain/third/a.txt').trim()).toBe('6');
    expect(await project.states('p.yaml')).toEqual({ first: 'cached', second: 'cached', third: 'cached' });
    project.write('p.yaml', `# a comment\n${chain.replace('first:', 'first:   # another')}`);
    expect(await project.states('p.yaml')).toEqual({ first: 'cached', second: 'cached', third: 'cached' });
    expect(await project.states('p.yaml', '--set', 'vars.word=HELLO')).toEqual({
      first: 'ran',
      second: 'ran',
      third: 'cached',
    });
    const plain = await project.run('p.yaml');
    expect(plain.stdout).toMatch(/3 cached, 0 ran/);
  });

  it("stages of one's own in TypeScript run per file and follow their imports", async () => {
    const project = new Project({
      'own.ts': userStage,
      'shout.ts': 'export const shout = (text: string): string => text.toUpperCase();\n',
      'texts/a.txt': 'a',
      'texts/b.txt': 'b',
      'p.yaml': 'name: own\nstages:\n  mine: { uses: ./own.ts, with: { path: texts/*.txt } }\n',
    });
    expect(await project.states('p.yaml')).toEqual({ mine: 'ran' });
    utimesSync(project.path('texts/a.txt'), new Date(), new Date());
    expect(await project.states('p.yaml')).toEqual({ mine: 'cached' });
    project.write('texts/c.txt', 'c');
    const { stdout } = await project.run('p.yaml', '--json');
    expect(stdout.split('\n').filter((line) => line.includes('"action-start"'))).toHaveLength(1);
    project.write('shout.ts', 'export const shout = (text: string): string => `${text}!`;\n');
    expect(await project.states('p.yaml')).toEqual({ mine: 'ran' });
  });

  it('links results where they are easy to find', async () => {
    const project = new Project({ 'p.yaml': chain });
    await project.states('p.yaml');
    expect(existsSync(project.path('outputs/chain/first/a.txt'))).toBe(true);
    expect(realpathSync(project.path('outputs/chain/first'))).toContain('.run-pipeline');
    expect(readFileSync(project.path('outputs/chain/second/a.txt'), 'utf8')).toBe('HELLO\n');
  });
});
