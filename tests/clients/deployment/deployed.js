// What an operator deploys: the files of contrib, and the program with the settings that stand there.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { freePorts } from '../gateways/gateway.js';

const binary = process.env.TOKENWRIGHT_BINARY;

/// A file of contrib.
export const contributed = (name) => fileURLToPath(new URL(`../../../contrib/${name}`, import.meta.url));

/// Runs a checker of requirements.txt; what it says, and its exit code.
export async function check(name, ...args) {
  const program = fileURLToPath(new URL(`.venv/bin/${name}`, import.meta.url));
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args);
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, said: error.stdout + error.stderr };
  }
}

/// The objects of a file of YAML.
export async function objects(name) {
  return parseAllDocuments(await readFile(contributed(name), 'utf8'), { merge: true }).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
}

/// Runs the server with settings as they are deployed, on other ports and a database in SQLite, and asks it whether it is
/// ready in the way that a container does.
export async function serves(settings) {
  const folder = await mkdtemp(join(tmpdir(), 'deployed-'));
  const url = join(folder, 'url');
  await writeFile(url, `sqlite:${join(folder, 'test.db')}`);
  const [port] = await freePorts(1);
  const env = { ...settings, TOKENWRIGHT_DATABASE_URL_FILE: url };
  const elsewhere = (name, to) => {
    if (!settings[name]) return;
    assert.match(settings[name], /^0\.0\.0\.0:\d+$/);
    env[name] = `0.0.0.0:${to}`;
  };
  elsewhere('TOKENWRIGHT_LISTEN', port);
  elsewhere('TOKENWRIGHT_METRICS_LISTEN', 0);
  const run = (...args) => promisify(execFile)(binary, args, { env });
  await run('migrate');
  const child = spawn(binary, ['serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const said = [];
    await new Promise((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('listening on http')) resolve();
      });
      ended.then((code) => reject(new Error(`it ended with ${code}:\n${said.join('\n')}`)));
    });
    await run('healthcheck');
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}
