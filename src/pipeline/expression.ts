import { err, ok, type Result } from '../core/result.ts';

export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

interface Place {
  readonly start: number;
  readonly end: number;
}
export type Expression = Place &
  (
    | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
    | { readonly kind: 'path'; readonly path: readonly string[] }
    | { readonly kind: 'unary'; readonly operator: '!' | '-'; readonly operand: Expression }
    | {
        readonly kind: 'binary';
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly kind: 'conditional'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  );
export type BinaryOperator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';

/** A problem of an expression, at offsets of its text. */
export interface ExpressionProblem extends Place {
  readonly message: string;
  /** The unknown name, if that is the problem. */
  readonly unknown?: readonly string[];
  readonly help?: string;
}

/** Value of a dotted path; `undefined` if it does not exist. */
export type Lookup = (path: readonly string[]) => Value | undefined;

const longest = 4096;
const deepest = 60;

/**
 * Parse an expression: literals, dotted paths, `+ - * / %`, comparisons, `&& || !`, `a ? b : c` and parentheses, with
 * JavaScript's precedence. Names may contain hyphens (`fine-tune.accuracy`), so subtraction needs a space before the
 * `-`.
 * @example parseExpression('evaluate.perplexity < 20')
 */
export function parseExpression(text: string): Result<Expression, ExpressionProblem> {
  try {
    if (text.length > longest)
      throw new Problem(`an expression may have at most ${longest} characters`, { start: longest, end: longest + 1 });
    return ok(new ExpressionParser(text).parse());
  } catch (error) {
    if (error instanceof Problem) return err(error.problem);
    throw error;
  }
}

/**
 * Compute an expression. Numbers stay finite, and kinds are not mixed silently; `&&` and `||` return one of their
 * operands.
 */
export function evaluate(expression: Expression, lookup: Lookup): Result<Value, ExpressionProblem> {
  try {
    return ok(compute(expression, lookup));
  } catch (error) {
    if (error instanceof Problem) return err(error.problem);
    throw error;
  }
}

/** Every path in an expression, in order of appearance. */
export function pathsOf(expression: Expression): readonly (Place & { readonly path: readonly string[] })[] {
  switch (expression.kind) {
    case 'literal':
      return [];
    case 'path':
      return [expression];
    case 'unary':
      return pathsOf(expression.operand);
    case 'binary':
      return [...pathsOf(expression.left), ...pathsOf(expression.right)];
    case 'conditional':
      return [...pathsOf(expression.test), ...pathsOf(expression.yes), ...pathsOf(expression.no)];
  }
}

/** What is true in `&&`, `||`, `!`, `?:` and `when`: everything but `false`, `0`, `''` and `null`. */
export function isTrue(value: Value): boolean {
  return value !== false && value !== 0 && value !== '' && value !== null;
}

class Problem extends Error {
  readonly problem: ExpressionProblem;
  constructor(message: string, { start, end }: Place, more: { unknown?: readonly string[]; help?: string } = {}) {
    super(message);
    this.problem = { message, start, end, ...more };
  }
}

function compute(expression: Expression, lookup: Lookup): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'path': {
      const value = lookup(expression.path);
      if (value === undefined) throw unknownName(expression, expression.path);
      return value;
    }
    case 'unary': {
      const operand = compute(expression.operand, lookup);
      return expression.operator === '!'
        ? !isTrue(operand)
        : finite(-number(operand, '-', expression.operand), expression);
    }
    case 'conditional':
      return compute(isTrue(compute(expression.test, lookup)) ? expression.yes : expression.no, lookup);
    case 'binary':
      return computeBinary(expression, lookup);
  }
}

function computeBinary(expression: Expression & { kind: 'binary' }, lookup: Lookup): Value {
  const { operator } = expression;
  const left = compute(expression.left, lookup);
  if (operator === '&&') return isTrue(left) ? compute(expression.right, lookup) : left;
  if (operator === '||') return isTrue(left) ? left : compute(expression.right, lookup);
  const right = compute(expression.right, lookup);
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(operator, left, right, expression);
    case '+':
      return typeof left === 'string' || typeof right === 'string'
        ? text(left, expression.left) + text(right, expression.right)
        : arithmetic();
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic();
  }

  function arithmetic(): number {
    const [a, b] = [number(left, operator, expression.left), number(right, operator, expression.right)];
    if (b === 0 && (operator === '/' || operator === '%')) throw new Problem('division by zero', expression.right);
    const results: Partial<Record<typeof operator, number>> = {
      '+': a + b,
      '-': a - b,
      '*': a * b,
      '/': a / b,
      '%': a % b,
    };
    return finite(results[operator] as number, expression);
  }
}

function compare(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value, at: Place): boolean {
  const comparable =
    (typeof left === 'number' && typeof right === 'number') || (typeof left === 'string' && typeof right === 'string');
  if (!comparable)
    throw new Problem(
      `\`${operator}\` compares two numbers or two strings, not ${kindOf(left)} and ${kindOf(right)}`,
      at,
    );
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function equal(left: Value, right: Value): boolean {
  return (
    left === right ||
    (typeof left === 'object' && typeof right === 'object' && JSON.stringify(left) === JSON.stringify(right))
  );
}

function number(value: Value, operator: string, at: Place): number {
  if (typeof value === 'number') return value;
  throw new Problem(`\`${operator}\` works on numbers, not on ${kindOf(value)}`, at);
}

function text(value: Value, at: Place): string {
  if (typeof value === 'object') throw new Problem(`${kindOf(value)} cannot be inserted into a string`, at);
  return String(value);
}

function finite(value: number, at: Place): number {
  if (!Number.isFinite(value)) throw new Problem('the result is too large', at);
  return value === 0 ? 0 : value;
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`;
}

function unknownName(at: Place, path: readonly string[]): Problem {
  const hyphen = path.some((name) => /-\d|-$/.test(name));
  return new Problem(`unknown name \`${path.join('.')}\``, at, {
    unknown: path,
    ...(hyphen ? { help: 'names may contain hyphens; put spaces around `-` to subtract' } : {}),
  });
}

interface Token extends Place {
  readonly kind: 'number' | 'string' | 'name' | 'symbol' | 'end';
  readonly text: string;
  readonly value?: string | number;
}

const tokenPattern =
  /\s+|(?<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_][A-Za-z0-9_-]*)|(?<symbol>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:().])|(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/suy;
const precedence: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

class ExpressionParser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.tokens = tokenize(source);
  }

  parse(): Expression {
    const expression = this.conditional();
    const rest = this.peek();
    if (rest.kind !== 'end') throw new Problem(`unexpected \`${rest.text}\``, rest);
    return expression;
  }

  private conditional(): Expression {
    if (++this.depth > deepest) throw new Problem('the expression is nested too deeply', this.peek());
    const test = this.binary(0);
    let result = test;
    if (this.take('?')) {
      const yes = this.conditional();
      this.expect(':');
      const no = this.conditional();
      result = { kind: 'conditional', test, yes, no, start: test.start, end: no.end };
    }
    this.depth--;
    return result;
  }

  private binary(level: number): Expression {
    const operators = precedence[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = operators.find((candidate) => this.peek().kind === 'symbol' && this.peek().text === candidate);
      if (operator === undefined) return left;
      this.at++;
      const right = this.binary(level + 1);
      left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
    }
  }

  private unary(): Expression {
    const token = this.peek();
    if (token.kind !== 'symbol' || (token.text !== '!' && token.text !== '-')) return this.primary();
    this.at++;
    if (++this.depth > deepest) throw new Problem('the expression is nested too deeply', token);
    const operand = this.unary();
    this.depth--;
    return { kind: 'unary', operator: token.text, operand, start: token.start, end: operand.end };
  }

  private primary(): Expression {
    const token = this.peek();
    this.at++;
    if (token.kind === 'number' || token.kind === 'string')
      return { kind: 'literal', value: token.value ?? '', start: token.start, end: token.end };
    if (token.kind === 'name') return this.nameOrPath(token);
    if (token.kind === 'symbol' && token.text === '(') {
      const inner = this.conditional();
      this.expect(')');
      return inner;
    }
    throw new Problem(token.kind === 'end' ? 'the expression ends too early' : `unexpected \`${token.text}\``, token);
  }

  private nameOrPath(first: Token): Expression {
    const path = [first.text];
    let end = first.end;
    while (this.take('.')) {
      const next = this.peek();
      if (next.kind !== 'name' && !(next.kind === 'number' && /^\d+$/.test(next.text)))
        throw new Problem('a name must follow the `.`', next);
      this.at++;
      path.push(next.text);
      end = next.end;
    }
    const place = { start: first.start, end };
    if (path.length === 1) {
      if (first.text === 'true' || first.text === 'false')
        return { kind: 'literal', value: first.text === 'true', ...place };
      if (first.text === 'null') return { kind: 'literal', value: null, ...place };
    }
    return { kind: 'path', path, ...place };
  }

  private peek(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)] ?? { kind: 'end', text: '', start: 0, end: 0 };
  }

  private take(symbol: string): boolean {
    const found = this.peek().kind === 'symbol' && this.peek().text === symbol;
    if (found) this.at++;
    return found;
  }

  private expect(symbol: string): void {
    const token = this.peek();
    if (!this.take(symbol))
      throw new Problem(
        token.kind === 'end' ? `\`${symbol}\` is missing at the end` : `expected \`${symbol}\`, not \`${token.text}\``,
        token,
      );
  }
}

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let start = 0;
  while (start < source.length) {
    tokenPattern.lastIndex = start;
    const groups = tokenPattern.exec(source)?.groups;
    const end = tokenPattern.lastIndex;
    if (groups === undefined)
      throw new Problem(
        /['"]/.test(source[start] ?? '') ? 'this string is not terminated' : `unexpected \`${source[start]}\``,
        { start, end: start + 1 },
      );
    const place = { start, end, text: source.slice(start, end) };
    const previous = tokens.at(-1);
    if (groups.number !== undefined) {
      // `vars.list.0` : after a dot, a number is a list index, and `.0` must not consume that dot.
      if (
        place.text.startsWith('.') &&
        previous !== undefined &&
        previous.end === start &&
        (previous.kind === 'name' || previous.kind === 'number')
      ) {
        tokens.push({ kind: 'symbol', start, end: start + 1, text: '.' });
        start += 1;
        const digits = /^\d+/.exec(source.slice(start))?.[0] ?? '';
        tokens.push({ kind: 'number', start, end: start + digits.length, text: digits, value: Number(digits) });
        start += digits.length;
        continue;
      }
      tokens.push({ kind: 'number', ...place, value: finite(Number(place.text), place) });
    } else if (groups.name !== undefined) tokens.push({ kind: 'name', ...place });
    else if (groups.symbol !== undefined) tokens.push({ kind: 'symbol', ...place });
    else if (groups.string !== undefined)
      tokens.push({ kind: 'string', ...place, value: unescape(place.text.slice(1, -1)) });
    start = end;
  }
  tokens.push({ kind: 'end', text: '', start: source.length, end: source.length + 1 });
  return tokens;
}

function unescape(body: string): string {
  return body.replace(/\\(.)/gsu, (_, character: string) => ({ n: '\n', t: '\t' })[character] ?? character);
}
