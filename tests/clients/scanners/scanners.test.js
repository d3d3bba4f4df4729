// The rules in contrib/scanners, read by the scanners that they are for.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../support/folder.js';
import { start } from '../support/server.js';
import { checksum, lines, secret, WRONG_CHECKSUMS, WRONG_FORMS } from './strings.js';

const COUNT = 1000;
const rules = (name) => fileURLToPath(new URL(`../../../contrib/scanners/${name}`, import.meta.url));
const command = (name) => fileURLToPath(new URL(`.venv/bin/${name}`, import.meta.url));

let folder;
let real;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scanners-'));
  await mkdir(join(folder, 'files'));
  const server = await start();
  real = server.token;
  await server.stop();
  const files = {
    secrets: [real, ...lines(COUNT, [secret])],
    forms: lines(COUNT, Object.values(WRONG_FORMS)),
    checksums: lines(COUNT, Object.values(WRONG_CHECKSUMS)),
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, 'files', `${name}.txt`), `${content.join('\n')}\n`);
  }
});
after(() => rm(folder, { recursive: true, force: true }));

/// Runs a scanner over the files. Its own settings and caches of this machine stay out.
async function scan(name, args) {
  const env = { HOME: folder, KF_RULE_CACHE_DIR: join(folder, 'cache') };
  const ran = await run({ path: folder }, command(name), args, env);
  // Kingfisher says by 200 that it found something.
  assert.ok([0, 200].includes(ran.code), ran.said);
  return ran.stdout;
}

/// The lines of a file in which nothing was found, and those in which something was.
async function verdict(found, name) {
  const all = (await readFile(join(folder, 'files', `${name}.txt`), 'utf8')).trimEnd().split('\n');
  const numbers = new Set(found.filter(({ file }) => file.endsWith(`${name}.txt`)).map(({ line }) => line));
  return {
    missed: all.filter((_, place) => !numbers.has(place + 1)),
    found: all.filter((_, place) => numbers.has(place + 1)),
  };
}

/// All secrets are found, whatever is around them, and nothing of another form.
async function holds(found, { checksums }) {
  assert.deepEqual((await verdict(found, 'secrets')).missed, []);
  assert.deepEqual((await verdict(found, 'forms')).found, []);
  const lookAlikes = (await verdict(found, 'checksums')).found;
  if (checksums) assert.deepEqual(lookAlikes, []);
  else assert.equal(lookAlikes.length, COUNT, 'the README says that this scanner does not check the checksum');
}

test('the strings have the checksum of the program', () => {
  assert.equal(checksum(real.slice(0, -6)), real.slice(-6));
});

test('gitleaks', async () => {
  const report = join(folder, 'gitleaks.json');
  await scan('gitleaks', [
    'dir', '--config', rules('gitleaks.toml'), '--no-banner', '--exit-code', '0',
    '--report-format', 'json', '--report-path', report, 'files',
  ]);
  const found = JSON.parse(await readFile(report, 'utf8')).filter(({ RuleID }) => RuleID === 'tokenwright-secret');
  await holds(found.map(({ File, StartLine }) => ({ file: File, line: StartLine })), { checksums: false });
  assert.ok(found.some(({ Secret }) => Secret === real), 'the secret alone is reported');
});

test('Kingfisher', async () => {
  const report = join(folder, 'kingfisher.json');
  await scan('kingfisher', [
    'scan', 'files', '--rules-path', rules('kingfisher.yml'), '--rule', 'custom.tokenwright.secret',
    '--no-validate', '--no-dedup', '--no-update-check', '--format', 'json', '--output', report,
  ]);
  const { findings } = JSON.parse(await readFile(report, 'utf8'));
  const found = findings.map(({ finding }) => finding);
  await holds(found.map(({ path, line }) => ({ file: path, line })), { checksums: true });
  assert.ok(found.some(({ snippet }) => snippet === real), 'the secret alone is reported');
});

test('detect-secrets', async () => {
  const said = await scan('detect-secrets', [
    'scan', '--all-files', '--plugin', rules('detect_secrets_tokenwright.py'), 'files',
  ]);
  const found = Object.entries(JSON.parse(said).results).flatMap(([file, results]) => (
    results.filter(({ type }) => type === 'Tokenwright API Token').map((result) => ({ file, line: result.line_number }))
  ));
  await holds(found, { checksums: true });
});
