// The version of each stage type's results: `npm run versions`.
//
// stages/versions.json records a version per stage type, and the digest of its code. Action keys contain the version if
// the built code is the recorded one, and otherwise the digest of the code. So a reworded message that was accepted
// with `keep` re-runs nothing, and whoever edits a stage in a checkout always runs the edited code.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The record: `{ "<type>": { version, code } }`. */
export function readVersions() {
  const file = join(root, 'stages/versions.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/**
 * The part of action keys that identifies a stage type: its version if the code is the recorded one, otherwise the
 * code's digest.
 */
export function implementationOf(type, code, versions) {
  const recorded = versions[type];
  return recorded?.code === code ? `version ${recorded.version}` : code;
}

/** Stage types that are new, removed, or built from code that differs from the record. */
function undecided(built, versions) {
  const changed = Object.keys(built).filter((type) => versions[type]?.code !== built[type].code);
  return { changed, gone: Object.keys(versions).filter((type) => built[type] === undefined) };
}

function decide(action, types, built, versions) {
  const next = {};
  for (const type of Object.keys(built).sort()) {
    const { code } = built[type];
    const recorded = versions[type];
    if (!types.includes(type)) {
      if (recorded !== undefined) next[type] = recorded;
    } else
      next[type] = { version: (recorded?.version ?? 0) + (recorded === undefined || action === 'bump' ? 1 : 0), code };
  }
  writeFileSync(join(root, 'stages/versions.json'), `${JSON.stringify(next, null, 2)}\n`);
  return next;
}

function main([action, ...names]) {
  const file = join(root, 'dist/catalogue.json');
  if (!existsSync(file)) return exit('dist/catalogue.json does not exist; run `npm run build` first.');
  const catalogue = JSON.parse(readFileSync(file, 'utf8'));
  // A composite stage type does not have code of its own.
  const stageTypes = Object.fromEntries(
    Object.entries(catalogue.stageTypes).filter(([, { code }]) => code !== undefined),
  );
  const versions = readVersions();
  const { changed, gone } = undecided(stageTypes, versions);
  if (action === undefined || action === '--check') {
    for (const type of changed) {
      const recorded = versions[type];
      console.log(`${type}: ${recorded === undefined ? 'new' : `its code differs from version ${recorded.version}`}`);
    }
    for (const type of gone) console.log(`${type}: no longer a stage type`);
    if (changed.length + gone.length === 0)
      return console.log('Every stage type has the code recorded in stages/versions.json.');
    console.log(
      'Decide for each: `npm run versions -- bump <type>` where its results change (every run computes them again), ' +
        '`npm run versions -- keep <type>` where they stay the same. `all` means all of them.',
    );
    return action === '--check' ? exit('Stage types are undecided.') : undefined;
  }
  if (action !== 'bump' && action !== 'keep') return exit(`unknown command \`${action}\`; use \`bump\` or \`keep\``);
  if (names.length === 0) return exit(`name the stage types to ${action}, or use \`all\``);
  const unknown = names.find((name) => name !== 'all' && stageTypes[name] === undefined);
  if (unknown !== undefined)
    return exit(`unknown stage type \`${unknown}\`; known: ${Object.keys(stageTypes).join(', ')}`);
  const types = names.includes('all') ? changed : names;
  const next = decide(action, types, stageTypes, versions);
  for (const [type, stage] of Object.entries(stageTypes))
    stage.implementation = implementationOf(type, stage.code, next);
  writeFileSync(file, JSON.stringify(catalogue));
  for (const type of types) console.log(`${type}: version ${next[type].version}`);
}

function exit(message) {
  console.error(message);
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
