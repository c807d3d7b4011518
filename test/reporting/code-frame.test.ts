import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/core/diagnostic.ts';
import { renderDiagnostics } from '../../src/reporting/code-frame.ts';

const files: Record<string, string> = {
  '/work/a.yaml': 'stages:\n  mask: { inputs: { sequences: tokens } }\n',
  '/work/zh.yaml': 'vars: { 名字: 北京, x: y }\n\n\tz: 1\n',
  '/work/emoji.yaml': 'vars: { caf\u0065\u0301: \u{1f600}, x: y }\n',
  '/work/long.yaml': `a: ${'x'.repeat(5000)} bad`,
};
const render = (diagnostic: Partial<Diagnostic>, color = false) =>
  renderDiagnostics([{ code: 'some-code', message: 'it is wrong', ...diagnostic }], {
    color,
    cwd: '/work',
    read: (file) => files[file],
  });
const at = (file: string, line: number, column: number, length: number) => ({
  location: { file, line, column, length },
});

describe('code frames', () => {
  it.each<[string, Partial<Diagnostic>, string]>([
    [
      'place, caret, help',
      { ...at('/work/a.yaml', 2, 31, 6), help: 'did you mean `tokenize`?' },
      `error: it is wrong [some-code]
  --> a.yaml:2:31
   1 | stages:
   2 |   mask: { inputs: { sequences: tokens } }
     |                               ^^^^^^
  help: did you mean \`tokenize\`?`,
    ],
    [
      'wide characters',
      at('/work/zh.yaml', 1, 13, 2),
      `error: it is wrong [some-code]
  --> zh.yaml:1:13
   1 | vars: { 名字: 北京, x: y }
     |               ^^^^`,
    ],
    [
      'emoji and combining marks',
      at('/work/emoji.yaml', 1, 16, 2),
      `error: it is wrong [some-code]
  --> emoji.yaml:1:16
   1 | vars: { caf\u0065\u0301: \u{1f600}, x: y }
     |               ^^`,
    ],
    [
      'tabs',
      at('/work/zh.yaml', 3, 2, 1),
      `error: it is wrong [some-code]
  --> zh.yaml:3:2
   3 |  z: 1
     |  ^`,
    ],
    [
      'no place',
      { stage: 'mask', shard: '0001.arrow', severity: 'warning' },
      'warning: stage mask, shard 0001.arrow: it is wrong [some-code]',
    ],
    ['a file that is gone', at('/work/gone.yaml', 3, 1, 1), 'error: it is wrong [some-code]\n  --> gone.yaml:3:1'],
    [
      '--set',
      at('--set vars.x=[1', 1, 8, 2),
      `error: it is wrong [some-code]
  --> --set vars.x=[1
   1 | vars.x=[1
     |        ^^`,
    ],
    ['details', { message: 'a and b\n    left | right' }, 'error: a and b [some-code]\n    left | right'],
    ['nothing steers the terminal', { message: 'a \u001b[31m b' }, 'error: a ·[31m b [some-code]'],
  ])('%s', (_, diagnostic, expected) => expect(render(diagnostic)).toBe(expected));

  it('shows a window of a very long line', () => {
    const lines = render(at('/work/long.yaml', 1, 5005, 3)).split('\n');
    expect(lines[2]?.length).toBeLessThan(120);
    expect(lines[3]?.indexOf('^')).toBe(lines[2]?.indexOf('bad'));
  });

  it('has colours only when told so', () => {
    expect(render({}, true)).toContain('\u001b[');
    expect(render(at('/work/a.yaml', 2, 31, 6))).not.toContain('\u001b');
  });
});
