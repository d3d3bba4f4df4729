import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder, run } from '../support/folder.js';
import { inDays } from '../support/request.js';
import { start } from '../support/server.js';
import { fillPages } from '../support/tokens.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

/// A folder with one of the files beside this one, and the settings for it.
async function folderOf(file) {
  const plugin = { name: 'gql.tada/ts-plugin', schema: './schema.graphql', tadaOutputLocation: './made.d.ts' };
  return makeFolder({
    [file]: await readFile(fileURLToPath(new URL(file, import.meta.url))),
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        strict: true, target: 'es2022', module: 'nodenext', outDir: 'built', skipLibCheck: true, types: ['node'],
        plugins: [plugin],
      },
      files: [file],
    }),
  });
}

/// Runs a command that must not fail.
async function succeed(folder, command, args, env) {
  const ran = await run(folder, command, args, env);
  assert.equal(ran.code, 0, ran.said);
  return ran.stdout;
}

test('the committed schema and introspection give the same types, which fit the program', async () => {
  const folder = await folderOf('tokens.ts');
  try {
    const made = async () => {
      await succeed(folder, 'gql.tada', ['generate-output']);
      return readFile(join(folder.path, 'made.d.ts'), 'utf8');
    };
    const committed = await made();
    const from = [server.url, '--header', `authorization: Bearer ${server.token}`];
    await succeed(folder, 'gql.tada', ['generate-schema', ...from, '--output', 'schema.graphql']);
    assert.equal(await made(), committed);

    await succeed(folder, 'gql.tada', ['check']);
    await succeed(folder, 'tsc', []);
    const names = await fillPages(server);
    const env = { URL: server.url, TOKEN: server.token, EXPIRY: inDays(1) };
    const said = JSON.parse(await succeed(folder, 'node', ['built/tokens.js'], env));
    assert.deepEqual(said.names.sort(), [...names, 'made'].sort());
    assert.equal(said.current, 'made');
    assert.equal(said.status, 'ACTIVE');
  } finally {
    await folder.remove();
  }
});

test('an unknown field is an error', async () => {
  const folder = await folderOf('wrong.ts');
  try {
    await succeed(folder, 'gql.tada', ['generate-output']);
    const checked = await run(folder, 'gql.tada', ['check']);
    assert.notEqual(checked.code, 0);
    assert.match(checked.said, /Cannot query field "secret" on type "ApiToken"/);
  } finally {
    await folder.remove();
  }
});
