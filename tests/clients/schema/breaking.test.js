// The report on a change of the schema, in a repository of its own.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('breaking.js', import.meta.url));
const FIRST = 'type Query { one: Int two: Int }';
const MORE = 'type Query { one: Int two: Int three: Int }';
const LESS = 'type Query { one: Int }';

// Nothing of whoever runs this: a hook of git's, for one, names another repository.
const env = { PATH: process.env.PATH };

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenwright-schema-'));
  git('init', '--quiet');
});
afterEach(() => rmSync(folder, { recursive: true }));

function git(...args) {
  const someone = ['-c', 'user.name=someone', '-c', 'user.email=someone@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...someone, ...args], { cwd: folder, env, stdio: 'ignore' });
}

function write(schema) {
  writeFileSync(join(folder, 'schema.graphql'), schema);
}

function commit(schema, message) {
  write(schema);
  git('add', 'schema.graphql');
  git('commit', '--quiet', '--message', message);
}

/// The exit code of the report, and what it said.
function report() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8', env });
  return { status, said: stdout + stderr };
}

test('the first version breaks nothing, and neither does one without a history', () => {
  write(FIRST);
  assert.equal(report().status, 0);
  commit(FIRST, 'Begin');
  const { status, said } = report();
  assert.equal(status, 0);
  assert.match(said, /no earlier version/);
});

test('an addition is told and passes', () => {
  commit(FIRST, 'Begin');
  commit(MORE, 'Add three');
  const { status, said } = report();
  assert.equal(status, 0, said);
  assert.match(said, /non breaking: Field 'three' was added/);
});

test('a removal fails, also once other commits have followed', () => {
  commit(FIRST, 'Begin');
  commit(LESS, 'Remove two');
  git('commit', '--quiet', '--allow-empty', '--message', 'Do something else');
  const { status, said } = report();
  assert.equal(status, 1, said);
  assert.match(said, /  breaking: Field 'two' was removed/);
  assert.match(said, /Breaking-Schema: REASON/);
});

test('a removal with a reason passes, and its reason is told', () => {
  commit(FIRST, 'Begin');
  commit(LESS, 'Remove two\n\nIt was a mistake.\n\nBreaking-Schema: nobody has ever used two');
  const { status, said } = report();
  assert.equal(status, 0, said);
  assert.match(said, /nobody has ever used two/);
});

test('a reason counts for its own commit only, and an empty one never', () => {
  commit(FIRST, 'Begin\n\nBreaking-Schema: of the past');
  commit(LESS, 'Remove two\n\nBreaking-Schema:');
  assert.equal(report().status, 1);
});

test('a removal in the work tree fails', () => {
  commit(FIRST, 'Begin\n\nBreaking-Schema: of the past');
  write(LESS);
  const { status, said } = report();
  assert.equal(status, 1);
  assert.match(said, /the work tree/);
});
