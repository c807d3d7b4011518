// Compares the tests that a run skipped, in vitest's JSON report, with test/expected-skips.json. Every skipped test has
// to be listed there under a condition that holds on this machine, and every test that is listed under such a condition
// must have been skipped. What the machine has is looked up again here: a test whose own look-up is wrong is found.
//
// usage: node scripts/check-skips.mjs <report.json> [<expected-skips.json>]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, statfsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { readInstallation } from '../dist/src/backends/installation.js';

const root = join(import.meta.dirname, '..');
const ownPython = join(root, '.venv/bin/python');
const python = process.env.RUN_PIPELINE_PYTHON || (existsSync(ownPython) ? ownPython : 'python3');
const backends = process.env.RUN_PIPELINE_BACKENDS ?? join(homedir(), '.cache/run-pipeline/backends');
const findModule = 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)';
const succeeds = (program, ...args) => spawnSync(program, args).status === 0;

const conditions = {
  'shared data': () => existsSync(process.env.RUN_PIPELINE_TEST_DATA ?? join(root, '../shared/data')),
  'torch backend': () => readInstallation(backends, 'torch').ok,
  'tensorflow backend': () => readInstallation(backends, 'tensorflow').ok,
  'C++ compiler': () => succeeds(process.env.CXX ?? 'g++', '--version'),
  bzip2: () => succeeds('bzip2', '--help'),
  'CUDA in PyTorch': () => succeeds(python, '-c', 'import sys, torch; sys.exit(torch.version.cuda is None)'),
  'NVRTC beside PyTorch': hasNvrtc,
  'permission to mount': canMount,
  'room for large files': hasRoom,
  'x64 processor': () => process.arch === 'x64',
};
/** What of these was looked up, by condition. */
const known = new Map();

const [reportPath, expectedPath = join(root, 'test/expected-skips.json')] = process.argv.slice(2);
const tests = readReport(reportPath);
const count = (status) => tests.filter((test) => test.status === status).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${tests.filter(isSkipped).length} skipped`);
const problems = compare(JSON.parse(readFileSync(expectedPath, 'utf8')));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** What is wrong with the skipped tests of a run, a line each. */
function compare(expected) {
  const listed = expected.flatMap(({ condition, tests: byFile }) =>
    Object.entries(byFile).flatMap(([file, names]) =>
      names.map((name) => ({ condition, file, name, covers: pattern(name) })),
    ),
  );
  const found = [];
  const counts = new Map();
  for (const test of tests.filter(isSkipped)) {
    const entries = listed.filter(({ file, covers }) => file === test.file && covers.test(test.name));
    const holding = entries.find(({ condition }) => holds(condition));
    if (holding !== undefined) counts.set(holding.condition, (counts.get(holding.condition) ?? 0) + 1);
    else if (entries.length === 0)
      found.push(`skipped, and not listed in ${relative(root, expectedPath)}: ${test.file} > ${test.name}`);
    else
      found.push(
        `skipped, though its condition "${entries.map(({ condition }) => condition).join('" or "')}" does not hold: ` +
          `${test.file} > ${test.name}`,
      );
  }
  const files = new Set(tests.map(({ file }) => file));
  for (const { condition, file, name, covers } of listed) {
    if (!files.has(file) || !holds(condition)) continue;
    const covered = tests.filter((test) => test.file === file && covers.test(test.name));
    if (covered.length === 0) found.push(`listed under "${condition}", but does not exist: ${file} > ${name}`);
    for (const test of covered)
      if (!isSkipped(test))
        found.push(`listed under "${condition}", which holds, but not skipped: ${file} > ${test.name}`);
  }
  for (const [condition, count] of counts) console.log(`${count} skipped as expected: ${condition}`);
  return found;
}

function isSkipped({ status }) {
  return status !== 'passed' && status !== 'failed';
}

/** Every test of a report, by its file and its name without the reason that it ends with when it is skipped. */
function readReport(path) {
  return JSON.parse(readFileSync(path, 'utf8')).testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      file: relative(root, file),
      name: [...ancestorTitles, title].map((each) => each.replace(/ \(skipped: .*/s, '')).join(' > '),
      status,
    })),
  );
}

/** Matches a test of this name and all tests of a group of this name; `*` stands for anything. */
function pattern(name) {
  const [first, ...rest] = name.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`^${[first, ...rest].join('.*')}(?: > .*)?$`, 's');
}

/** Whether a condition, such as "no shared data", holds on this machine. */
function holds(condition) {
  if (!known.has(condition)) known.set(condition, !has(condition.replace(/^no /, '')));
  return known.get(condition);
}

function has(what) {
  const modules = /^python (.*)$/.exec(what)?.[1].split(', ');
  if (modules !== undefined) return modules.every((name) => succeeds(python, '-c', findModule, name));
  if (conditions[what] === undefined) throw new Error(`unknown condition "no ${what}" in ${expectedPath}`);
  return conditions[what]();
}

function hasNvrtc() {
  const installation = readInstallation(backends, 'torch');
  if (!installation.ok) return false;
  const nvidia = join(dirname(installation.value.folder), 'nvidia');
  return existsSync(nvidia) && readdirSync(nvidia, { recursive: true }).some((path) => /libnvrtc\.so/.test(path));
}

function canMount() {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  const mounted = succeeds('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder);
  if (mounted) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return mounted;
}

/** What test/e2e/large-files.test.ts asks for. */
function hasRoom() {
  const { bavail, bsize } = statfsSync(tmpdir());
  return bavail * bsize >= 8 * 2 ** 30 && process.availableMemory() >= 6 * 2 ** 30;
}
