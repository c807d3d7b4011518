import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, parseExpression, type Lookup, type Value } from '../../src/pipeline/expression.ts';

const names: Record<string, Value> = {
  'vars.x': 3,
  'vars.name': 'abc',
  'fine-tune.accuracy': 0.9,
  round: 2,
  'vars.list.1': 'b',
  'vars.none': null,
};
const lookup: Lookup = (path) => (Object.hasOwn(names, path.join('.')) ? names[path.join('.')] : undefined);

function run(text: string): Value | string {
  const parsed = parseExpression(text);
  if (!parsed.ok) return `${parsed.error.start}-${parsed.error.end} ${parsed.error.message}`;
  const value = evaluate(parsed.value, lookup);
  return value.ok ? value.value : `${value.error.start}-${value.error.end} ${value.error.message}`;
}

describe('expressions', () => {
  it.each<[string, Value]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 4 - 3', 3],
    ['7 % 4 / 2', 1.5],
    ['-vars.x + 1', -2],
    ['--3', 3],
    ['1e3', 1000],
    ['.5', 0.5],
    ['vars.x > 2 && round == 2', true],
    ['vars.x < 2 || !false', true],
    ['1 < 2 == true', true],
    ['vars.none == null', true],
    ["'a' + 1", 'a1'],
    ["\"it\\'s\" + ' ok'", "it's ok"],
    ["vars.name == 'abc' ? 'yes' : 'no'", 'yes'],
    ['false ? 1 : true ? 2 : 3', 2],
    ['fine-tune.accuracy >= 0.9', true],
    ['vars.list.1', 'b'],
    ['vars.missing || 1', '0-12 unknown name `vars.missing`'],
    ["'' || 'default'", 'default'],
    ['0 * -1', 0],
  ])('%s', (text, expected) => expect(run(text)).toEqual(expected));

  it.each<[string, string]>([
    ['', '0-1 the expression ends too early'],
    ['1 +', '3-4 the expression ends too early'],
    ['1 2', '2-3 unexpected `2`'],
    ['(1', '2-3 `)` is missing at the end'],
    ["'open", '0-1 this string is not terminated'],
    ['a @ b', '2-3 unexpected `@`'],
    ['vars.', '5-6 a name must follow the `.`'],
    ['1 ? 2', '5-6 `:` is missing at the end'],
    ['1 / 0', '4-5 division by zero'],
    ['1 % 0', '4-5 division by zero'],
    ['1e308 * 10', '0-10 the result is too large'],
    ["1 < 'a'", '0-7 `<` compares two numbers or two strings, not a number and a string'],
    ["2 * 'a'", '4-7 `*` works on numbers, not on a string'],
    ['vars.x-1', '0-8 unknown name `vars.x-1`'],
  ])('%s is refused', (text, expected) => expect(run(text)).toBe(expected));

  it.each([
    ['(', 100_000],
    ['!', 4000],
    ['(', 4000],
    ['1+', 3000],
    ['-', 4000],
  ])('%s many times ends quickly', (piece, times) => {
    expect(typeof run(piece.repeat(times))).toBe('string');
  });
});

/**
 * Trees with a value that JavaScript computes by itself, and their text with every parenthesis or none that can be left
 * out.
 */
interface Tree {
  readonly text: string;
  readonly bare: string;
  readonly level: number;
  readonly value: () => number;
}
const levels = { '+': 1, '-': 1, '*': 2 } as const;
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    fc.nat(1000).map((n): Tree => ({ text: String(n), bare: String(n), level: 3, value: () => n })),
    fc
      .tuple(fc.constantFrom('+' as const, '-' as const, '*' as const), tie('tree'), tie('tree'))
      .map(([operator, left, right]): Tree => {
        const level = levels[operator];
        const wrap = (side: Tree, least: number) => (side.level < least ? `(${side.bare})` : side.bare);
        return {
          text: `(${left.text} ${operator} ${right.text})`,
          bare: `${wrap(left, level)} ${operator} ${wrap(right, level + 1)}`,
          level,
          value: () =>
            operator === '+'
              ? left.value() + right.value()
              : operator === '-'
                ? left.value() - right.value()
                : left.value() * right.value(),
        };
      }),
  ),
}));

describe('properties', () => {
  it('computes what JavaScript computes, by precedence as by parentheses', () => {
    fc.assert(
      fc.property(tree, (each) => {
        if (each.text.length > 4096 || each.text.split('(').length > 50) return;
        expect(run(each.bare)).toBeCloseTo(each.value(), 6);
        expect(run(each.text)).toBe(run(each.bare));
      }),
    );
  });

  it('answers any text with a value or a problem inside it', () => {
    const outcomes = { value: 0, error: 0 };
    const piece = fc.oneof(
      fc.constantFrom(
        '1',
        '.',
        '+',
        '-',
        '(',
        ')',
        '?',
        ':',
        '!',
        '&&',
        '||',
        '==',
        '<',
        'vars.x',
        "'",
        '"',
        '\\',
        ' ',
        'true',
        '%',
        '0',
      ),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
        (text) => {
          const parsed = parseExpression(text);
          const result = parsed.ok ? evaluate(parsed.value, lookup) : parsed;
          outcomes[result.ok ? 'value' : 'error'] += 1;
          if (result.ok) return;
          expect(result.error.start).toBeGreaterThanOrEqual(0);
          expect(result.error.start).toBeLessThanOrEqual(text.length);
          expect(result.error.end).toBeGreaterThan(result.error.start);
        },
      ),
      { numRuns: 500 },
    );
    expect(Math.min(outcomes.value, outcomes.error)).toBeGreaterThan(0);
  });
});
