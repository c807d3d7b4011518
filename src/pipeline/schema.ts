import { createRequire } from 'node:module';
import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import { canonicalJson } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import { entryOf, type Span, type YamlNode } from './node.ts';
import { isTemplate } from './interpolate.ts';
import type { Problems } from './problems.ts';
import { meantLanguage, suggest } from './suggest.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;
const compiled = new WeakMap<JsonSchema, ValidateFunction>();
const prebuilt = new Map<string, ValidateFunction>();
let ajv: Ajv | undefined;
/** Far more than anyone reads; reporting a megabyte of nonsense must not take seconds. */
const mostErrors = 500;

/**
 * How schemas are compiled. They are our own or checked by `compileSchema`'s callers, so ajv's meta-schema, which costs
 * more than everything else, is omitted.
 */
export const ajvOptions = {
  allErrors: true,
  useDefaults: true,
  strict: false,
  validateSchema: false,
  meta: false,
  addUsedSchema: false,
  verbose: true,
  ownProperties: true,
  logger: false,
} as const satisfies Options;

/** The key of a compiled schema. */
export const schemaDigest = (schema: JsonSchema): string => sha256(canonicalJson(schema));

/**
 * Register validators that the build compiled, by the digest of their schema: compiling takes longer than a no-op run
 * should.
 */
export function usePrebuilt(validators: Readonly<Record<string, ValidateFunction>>): void {
  for (const [digest, validator] of Object.entries(validators)) prebuilt.set(digest, validator);
}

/** Compile a draft-07 schema on first use, and load the compiler only if one is new. Throws if that fails. */
export function compileSchema(schema: JsonSchema): ValidateFunction {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = prebuilt.get(schemaDigest(schema)) ?? compile(schema);
    compiled.set(schema, validate);
  }
  return validate;
}

function compile({ $schema: _, $id: __, ...body }: JsonSchema): ValidateFunction {
  if (ajv === undefined) {
    const { Ajv: Compiler } = createRequire(import.meta.url)('ajv') as typeof import('ajv');
    ajv = new Compiler(ajvOptions);
  }
  return ajv.compile(body);
}

export interface Subject {
  /** The value's node, for locations. */
  readonly node: YamlNode;
  /** Where to point if the node does not have a location. */
  readonly at: Span;
  /** The name of the value in messages: ``the config of `tokenize` ``. */
  readonly name: string;
  readonly stage?: string;
  /** Values with `${{ }}` are checked after interpolation: their errors are omitted. */
  readonly templates?: boolean;
}

/** Validate a value in place (defaults are filled in) and report each error at the line that causes it. */
export function validate(schema: JsonSchema, value: unknown, subject: Subject, problems: Problems): boolean {
  const check = compileSchema(schema);
  if (check(value)) return true;
  let sound = true;
  for (const error of relevant((check.errors ?? []).slice(0, mostErrors))) {
    if (subject.templates === true && isTemplate(error.data)) continue;
    sound = false;
    report(error, subject, problems);
  }
  return sound;
}

function report(error: ErrorObject, subject: Subject, problems: Problems): void {
  const path = pathOf(error.instancePath);
  const where = path.length === 0 ? subject.name : `\`${path.join('.')}\` in ${subject.name}`;
  const what = path.length === 0 ? subject.name : `\`${path.join('.')}\``;
  const add = (code: string, message: string, at: Span, help?: string) =>
    problems.add(code, message, at, help, subject.stage);
  const at = locate(subject, path);
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema?.properties ?? {}) as object);
      return add(
        'unknown-property',
        `unknown property \`${key}\` in ${where}`,
        locate(subject, [...path, key], true),
        suggest(key, known, 'known properties'),
      );
    }
    case 'propertyNames':
      return add(
        'bad-name',
        `\`${String(params.propertyName)}\` cannot be a name in ${where}`,
        locate(subject, [...path, String(params.propertyName)], true),
        'a name consists of letters, digits, `-` and `_`, and starts with a letter',
      );
    case 'required':
      return add(
        'missing-property',
        `\`${String(params.missingProperty)}\` is missing in ${where}`,
        locate(subject, path, true),
        describe(error, String(params.missingProperty)),
      );
    case 'dependentRequired':
    case 'dependencies':
      return add(
        'missing-property',
        `\`${String(params.missingProperty)}\` is missing in ${where}: \`${String(params.property)}\` needs it`,
        locate(subject, [...path, String(params.property)], true),
      );
    case 'type':
      return add(
        'wrong-type',
        `${what} must be ${typeNames(params.type)}, not ${shown(error.data)}`,
        at,
        descriptionOf(error),
      );
    case 'enum':
      return add(
        'invalid-value',
        `${what} must be one of ${list(params.allowedValues)}, not ${shown(error.data)}`,
        at,
        typeof error.data === 'string'
          ? didYouMean(error.data, params.allowedValues, error.parentSchema?.['x-language'] === true)
          : undefined,
      );
    case 'const':
      return add('invalid-value', `${what} must be ${shown(params.allowedValue)}, not ${shown(error.data)}`, at);
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return add(
        'invalid-value',
        `${what} must be ${String(params.comparison)} ${String(params.limit)}, not ${shown(error.data)}`,
        at,
        descriptionOf(error),
      );
    case 'pattern':
      return add('invalid-value', `${what} cannot be ${shown(error.data)}`, at, descriptionOf(error));
    case 'anyOf':
    case 'oneOf':
      return add(
        'wrong-type',
        `${what} must be ${alternatives(error)}, not ${shown(error.data)}`,
        at,
        descriptionOf(error),
      );
    default:
      return add('invalid-value', `${what} ${error.message ?? 'is not valid'}`, at, descriptionOf(error));
  }
}

/** Errors of the branch whose type the value has: that branch was intended. */
const ofRightType = new Set([
  'additionalProperties',
  'minProperties',
  'minItems',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
]);

/** For a failed choice, keep either the choice or the errors inside the intended branch. */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  for (const choice of errors) {
    if (choice.keyword === 'if') dropped.add(choice);
    if (choice.keyword === 'propertyNames')
      for (const error of errors)
        if (error.propertyName !== undefined && error.instancePath === choice.instancePath && error !== choice)
          dropped.add(error);
    if (choice.keyword !== 'anyOf' && choice.keyword !== 'oneOf') continue;
    const branches = errors.filter((error) => error !== choice && error.schemaPath.startsWith(`${choice.schemaPath}/`));
    const deeper = branches.filter(
      (error) => error.instancePath.length > choice.instancePath.length || ofRightType.has(error.keyword),
    );
    if (deeper.length > 0) dropped.add(choice);
    for (const error of branches) if (!deeper.includes(error)) dropped.add(error);
  }
  return errors.filter((error) => !dropped.has(error));
}

function locate(subject: Subject, path: readonly string[], key = false): Span {
  let node: YamlNode = subject.node;
  let span = path.length === 0 ? subject.at : node.span;
  for (const [index, step] of path.entries()) {
    if (node.kind === 'list') {
      const item: YamlNode | undefined = node.items[Number(step)];
      if (item === undefined) return span;
      [node, span] = [item, item.span];
    } else {
      const entry = entryOf(node, step);
      if (entry === undefined) return index === 0 ? subject.at : span;
      [node, span] = [entry.node, key || entry.node.kind !== 'scalar' ? entry.key : entry.node.span];
    }
  }
  return span;
}

function pathOf(pointer: string): string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function typeNames(type: unknown): string {
  const names = (Array.isArray(type) ? type : String(type).split(',')).map((name) => article(String(name)));
  return names.join(' or ');
}

function article(type: string): string {
  switch (type) {
    case 'integer':
      return 'a whole number';
    case 'object':
      return 'a map';
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    default:
      return `a ${type}`;
  }
}

function alternatives(error: ErrorObject): string {
  const branches = (Array.isArray(error.schema) ? error.schema : []) as readonly JsonSchema[];
  const names = branches.map((branch) => {
    if (branch.enum !== undefined) return list(branch.enum);
    if (branch.required !== undefined) return `one with ${list(branch.required)}`;
    return branch.type === 'array' && typeof branch.items === 'object'
      ? `a list of ${String((branch.items as JsonSchema).type ?? 'value')}s`
      : typeNames(branch.type);
  });
  return [...new Set(names)].join(' or ');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => `\`${String(value)}\``).join(', ') : String(values);
}

/** @param areLanguages whether the values are language codes, marked by `x-language` in their schema */
function didYouMean(written: string, allowed: unknown, areLanguages: boolean): string | undefined {
  const values = Array.isArray(allowed) ? allowed.map(String) : [];
  const language = areLanguages ? meantLanguage(written, values) : undefined;
  const help = suggest(language ?? written, values, '');
  return help?.startsWith('did you mean') === true ? help : undefined;
}

function describe(error: ErrorObject, property: string): string | undefined {
  const schema = (error.parentSchema?.properties as Record<string, JsonSchema> | undefined)?.[property];
  return typeof schema?.description === 'string' ? `\`${property}\`: ${schema.description}` : undefined;
}

function descriptionOf(error: ErrorObject): string | undefined {
  const description: unknown = error.parentSchema?.description;
  return typeof description === 'string' ? description : undefined;
}
