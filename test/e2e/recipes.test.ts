import { beforeAll, describe, expect, it } from 'vitest';
import { rowsOf } from '../rig/artifact.ts';
import { eventsOf, Project, statesOf } from '../rig/project.ts';

/** Reads text, shouts, and groups the shards of each of two halves: every way to divide work, in a user's own stages. */
const files = {
  'recipes/loud.yaml': `description: Read and shout.
inputs: { more: { contract: documents, optional: true, many: true } }
config:
  type: object
  additionalProperties: false
  required: [path]
  properties: { path: { type: [string, array] }, mark: { type: string, default: "!" } }
outputs:
  documents: { from: joined }
  marked: { from: marked, optional: true }
stages:
  read: { uses: ingest-books, with: { path: "\${{ config.path }}" } }
  marked: { uses: ./mark.mjs, inputs: { documents: [read, "\${{ inputs.more }}"] }, with: { mark: "\${{ config.mark }}" } }
  pairs: { uses: ./pair.mjs, inputs: { documents: marked, again: marked } }
  joined: { uses: ./join.mjs, inputs: { documents: pairs } }
`,
  'recipes/mark.mjs': `import { defineFilter } from 'run-pipeline';
export default defineFilter({
  description: 'Mark.',
  inputs: { documents: { contract: 'documents', description: 'all', many: true } },
  config: { type: 'object', properties: { mark: { type: 'string' } } },
  judge: (document, { mark }) => ({ ...document, text: document.text.trim() + mark }),
});
`,
  'recipes/pair.mjs': `export default {
  description: 'Put each text beside itself.',
  inputs: {
    documents: { contract: 'documents', description: 'texts' },
    again: { contract: 'documents', description: 'the same' },
  },
  outputs: { documents: { contract: 'documents', description: 'both' } },
  map: ['documents', 'again'],
  async run(context) {
    const again = [];
    for await (const row of context.dataset('again').rows()) again.push(row.text);
    const out = context.writer('documents');
    for await (const row of context.dataset('documents').rows()) await out.add({ ...row, text: row.text + again.shift() });
  },
};
`,
  'recipes/join.mjs': `export default {
  description: 'All texts of a snapshot as one.',
  inputs: { documents: { contract: 'documents', description: 'texts' } },
  outputs: { documents: { contract: 'documents', description: 'one per snapshot' } },
  map: { port: 'documents', by: 'snapshot' },
  async run(context) {
    const rows = [];
    for await (const row of context.dataset('documents').rows()) rows.push(row);
    await context.writer('documents').add({ ...rows[0], text: rows.map((row) => row.text).sort().join(' ') });
  },
};
`,
  'p/p.yaml': `name: p
stages:
  old: { uses: ingest-books, with: { path: old.txt, snapshot: 2026-01-01 } }
  loud: { uses: ../recipes/loud.yaml, inputs: { more: old }, with: { path: [a.txt, b.txt] } }
  shown: { run: 'cp -rL "$IN_TEXT"/* "$OUT_FILES"', inputs: { text: loud }, outputs: { files: files } }
`,
  'p/a.txt': 'Apples.',
  'p/b.txt': 'Pears.',
  'p/old.txt': 'Plums.',
};

describe('a recipe of the user, in a folder of its own', () => {
  const project = new Project(files);
  beforeAll(async () => {
    const result = await project.run('p/p.yaml');
    expect(result.code, result.stdout + result.stderr).toBe(0);
    // A line per step, and one for the stage; links likewise.
    expect(result.stdout).toMatch(/^p: 3 stages, run /m);
    expect(result.stdout).toMatch(/^loud\/pairs: ran /m);
    expect(result.stdout).toMatch(/^loud: ran · .*dropped|^loud: ran · /m);
    expect(result.stdout).toMatch(/^0 cached, 3 ran in /m);
  });

  it('runs its steps: per shard, pairwise, and grouped by a meta field', async () => {
    const texts = async (output: string) => (await rowsOf(project.path('outputs/p', output))).map((row) => row.text);
    expect(await texts('loud.steps/read')).toEqual(['Apples.', 'Pears.']);
    expect(await texts('loud.steps/marked')).toEqual(['Apples.!', 'Pears.!', 'Plums.!']);
    expect(await texts('loud')).toEqual(['Apples.!Apples.! Pears.!Pears.!', 'Plums.!Plums.!']);
    expect(await texts('loud.marked')).toEqual(['Apples.!', 'Pears.!', 'Plums.!']);
  });

  it('is one stage in plan, explain and graph, with its steps inside', async () => {
    const out = async (...args: string[]) => (await project.run(...args)).stdout;
    expect(await out('plan', 'p/p.yaml', '--set', 'stages.loud.with.mark=x')).toMatch(
      /^loud\s+run\s+marked\.config\.mark changed\n {2}read\s+hit .*\n {2}marked\s+run\s+config\.mark .*\n {2}pairs\s+pending\s+after marked/m,
    );
    expect(await out('explain', 'p/p.yaml', '--set', 'stages.loud.with.mark=x')).toMatch(/config\.mark: ! → x/);
    expect(await out('graph', 'p/p.yaml')).toMatch(/subgraph c\d\["loud · \.\.\/recipes\/loud\.yaml"\]\n.*loud\/read/);
    expect(await out('logs', '--stage', 'loud')).toMatch(/^loud\/joined: ran/m);
  });

  it('re-runs what a change reaches, and counts as one stage', async () => {
    expect(await project.states('p/p.yaml')).toMatchObject({
      loud: 'cached',
      'loud/joined': 'cached',
      shown: 'cached',
    });
    project.write('p/b.txt', 'Quinces.');
    const result = await project.run('p/p.yaml', '--json');
    expect(statesOf(result)).toEqual({
      old: 'cached',
      'loud/read': 'ran',
      'loud/marked': 'ran',
      'loud/pairs': 'ran',
      'loud/joined': 'ran',
      loud: 'ran',
      shown: 'ran',
    });
    const started = eventsOf(result).filter(({ type }) => type === 'action-start');
    expect(started.filter(({ stage }) => stage === 'loud/marked')).toHaveLength(1);
    expect(started.filter(({ stage }) => stage === 'loud/joined').map(({ action }) => action)).toHaveLength(1);
    expect(eventsOf(result).at(-1)).toMatchObject({ type: 'run-end', ran: 2, cached: 1 });
  });

  it('a step that fails fails its stage, is named, and the rest is skipped', async () => {
    const broken = new Project({
      ...files,
      'recipes/pair.mjs': files['recipes/pair.mjs'].replace('const again = [];', "throw new Error('no');"),
    });
    const result = await broken.run('p/p.yaml', '--json');
    expect(result.code).toBe(1);
    expect(statesOf(result)).toMatchObject({
      'loud/marked': 'ran',
      'loud/pairs': 'failed',
      loud: 'failed',
      shown: 'skipped',
    });
  });
});
