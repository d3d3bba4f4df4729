// The program itself on a new SQLite file in a folder of its own.
// TOKENWRIGHT_BINARY names it; scripts/test builds it and says where it is.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const binary = process.env.TOKENWRIGHT_BINARY;

/// A running server: `url` is the endpoint, `origin` what comes before its path, `token` an
/// administrator's secret, `file` its database, `pid` its process, which `end` kills; `stop` also removes its database.
export async function start(...args) {
  if (!binary) throw new Error('TOKENWRIGHT_BINARY does not name the program; run scripts/test');
  const folder = await mkdtemp(join(tmpdir(), 'tokenwright-'));
  const file = join(folder, 'test.db');
  const database = ['--database-url', `sqlite:${file}`];
  await run('migrate', ...database);
  const token = await run(
    'admin', 'create-token', '--name', 'administrator', '--expires-in', '90d', '--all-permissions', ...database,
  );
  const { origin, url, child, said, ended } = await serve(file, ...args);
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  const stop = async () => {
    await end();
    await rm(folder, { recursive: true, force: true });
  };
  return { origin, url, token, file, pid: child.pid, said, end, stop };
}

/// A server on a database that exists: `child` is its process, `ended` waits for its end.
export async function serve(file, command = 'dev', ...more) {
  const child = spawn(binary, [command, '--database-url', `sqlite:${file}`, '--listen', '127.0.0.1:0', ...more], {
    // Notices are no events that a test expects.
    env: { TOKENWRIGHT_EXPIRY_NOTICES: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const said = [];
  const lines = createInterface({ input: child.stderr });
  const origin = await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      const address = /listening on (http:\/\/\S+)/.exec(line);
      if (address) resolve(address[1]);
    });
    ended.then((code) => reject(new Error(`the server ended with ${code}:\n${said.join('\n')}`)));
  });
  return { origin, url: `${origin}/graphql`, child, said, ended };
}

/// Runs a command of the program to its end; what it wrote to standard output.
export async function run(...args) {
  const { stdout } = await promisify(execFile)(binary, args, { env: {} });
  return stdout.trim();
}
