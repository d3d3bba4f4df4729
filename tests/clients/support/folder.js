// Folders for what tools write.

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const clients = fileURLToPath(new URL('..', import.meta.url));
const packages = join(clients, 'node_modules');

/// A new folder in which the packages are found, with the committed schema and the given files;
/// `remove` takes it away.
export async function makeFolder(files = {}) {
  const path = await mkdtemp(join(tmpdir(), 'tokenwright-client-'));
  await symlink(packages, join(path, 'node_modules'));
  await copyFile(join(clients, '../../schema.graphql'), join(path, 'schema.graphql'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/// Runs a command in a folder, the packages' own commands among them; answers with its exit code
/// and all that it said.
export async function run(folder, command, args, env = {}) {
  const path = [join(packages, '.bin'), process.env.PATH].join(delimiter);
  const options = { cwd: folder.path, env: { ...process.env, PATH: path, ...env } };
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, options);
    return { code: 0, stdout, said: stdout + stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, stdout: error.stdout, said: error.stdout + error.stderr };
  }
}
