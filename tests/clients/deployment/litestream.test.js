// docs/deployment.md, Litestream: the real program copies the database of a server that writes, the machine is lost, and
// what the page says brings it back.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../gateways/gateway.js';
import { inDays, send } from '../support/request.js';
import { run, serve } from '../support/server.js';

const page = await readFile(new URL('../../../docs/deployment.md', import.meta.url), 'utf8');
const [section] = page.split('\n### Litestream\n')[1].split('\nPostgreSQL: ');
const programs = fileURLToPath(new URL('.venv/bin', import.meta.url));

const CREATE = `mutation ($input: CreateApiTokenInput!) {
  createApiToken(input: $input) { token apiToken { id } } }`;
const DELETE = 'mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }';

/// The blocks of the page, with the folders of this test.
function blocks(language, folders) {
  const found = section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...found].map(([, text]) => Object.entries(folders).reduce(
    (text, [from, to]) => text.replaceAll(from, to), text,
  ));
}

async function create(server, name) {
  const input = { name, expiry: inDays(30), permissions: ['API_USERS_READ'] };
  const { body } = await send(server, CREATE, { variables: { input } });
  assert.equal(body.errors, undefined);
  const { token, apiToken: { id } } = body.data.createApiToken;
  return { name, token, id };
}

async function status(server, { token }) {
  return (await send(server, '{ currentApiToken { name } }', { token })).status;
}

test('what Litestream has copied comes back, and can be copied again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'litestream-'));
  const data = join(folder, 'data');
  const file = join(data, 'tokenwright.db');
  const [settings, configuration] = [join(folder, 'tokenwright.toml'), join(folder, 'litestream.yml')];
  const folders = {
    'sudo -u tokenwright ': '',
    '/etc/litestream.yml': configuration,
    '/etc/tokenwright.toml': settings,
    '/var/lib/tokenwright': data,
    '/var/backups/tokenwright': join(folder, 'replica'),
  };
  const [yaml] = blocks('yaml', folders);
  const [replicate, restore] = blocks('sh', folders);
  const env = { PATH: [programs, dirname(process.env.TOKENWRIGHT_BINARY), process.env.PATH].join(delimiter) };
  const shell = (script) => promisify(execFile)('sh', ['-euc', script], { env });
  const children = [];
  const start = (child) => { children.push(child); return child; };
  const kill = async (child) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const replicating = () => start(spawn('sh', ['-euc', `exec ${replicate}`], { env, stdio: 'ignore' }));
  const serving = async (token) => {
    const server = await serve(file);
    start(server.child);
    return { ...server, token };
  };
  /// The last change is in the replica, and so is all before it.
  const copied = (name) => until(`${name} is in the replica`, async () => {
    const copy = join(folder, 'copy.db');
    const asked = `litestream restore -config '${configuration}' -o '${copy}' '${file}'`;
    const restored = await shell(asked).then(() => readFile(copy), () => Buffer.alloc(0));
    await Promise.all(['', '-wal', '-shm'].map((ending) => rm(copy + ending, { force: true })));
    return restored.includes(name);
  });
  try {
    await mkdir(data, { mode: 0o700 });
    await writeFile(settings, `database-url = "sqlite:${file}"\n`);
    await writeFile(configuration, yaml);
    await run('migrate', '--config', settings);
    const administrator = await run(
      'admin', 'create-token', '--config', settings, '--name', 'a', '--expires-in', '9d', '--all-permissions',
    );
    let server = await serving(administrator);
    let litestream = replicating();
    const revoked = await create(server, 'revoked');
    const made = [];
    // More than the log has before it is to be emptied, and Litestream must let it.
    for (let number = 0; number < 400; number += 1) made.push(await create(server, `token ${number}`));
    await send(server, DELETE, { variables: { id: revoked.id } });
    made.push(await create(server, 'the very last'));
    await copied('the very last');
    await Promise.all([kill(server.child), kill(litestream)]);
    await rename(data, `${data} of before`);
    await mkdir(data, { mode: 0o700 });

    await shell(restore);
    server = await serving(administrator);
    for (const token of made) assert.equal(await status(server, token), 200, token.name);
    assert.equal(await status(server, revoked), 401);

    // From here on it is a database like any other.
    litestream = replicating();
    made.push(await create(server, 'after the loss'));
    await copied('after the loss');
    await Promise.all([kill(server.child), kill(litestream)]);
    await shell(restore);
    server = await serving(administrator);
    assert.equal(await status(server, made.at(-1)), 200);
    assert.equal(await status(server, made[0]), 200);
  } finally {
    await Promise.all(children.map(kill));
    await rm(folder, { recursive: true, force: true });
  }
});
