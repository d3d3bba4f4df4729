import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder, run } from '../support/folder.js';
import { inDays } from '../support/request.js';
import { start } from '../support/server.js';
import { fillPages, nameTaken, WRONG_TOKEN } from '../support/tokens.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

/// Makes the types of tokens.ts by a schema in a folder of their own.
async function generate(schema) {
  const folder = await makeFolder({
    'tokens.ts': await readFile(fileURLToPath(new URL('tokens.ts', import.meta.url))),
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        strict: true, target: 'es2022', module: 'nodenext', outDir: 'built', skipLibCheck: true, types: ['node'],
      },
      files: ['tokens.ts'],
    }),
    'codegen.json': JSON.stringify({
      schema,
      documents: 'tokens.ts',
      generates: {
        'made/': {
          preset: 'client',
          presetConfig: { fragmentMasking: false },
          config: { importExtension: '.js', scalars: { DateTime: 'string', IpNetwork: 'string' }, strictScalars: true },
        },
      },
    }),
  });
  const made = await run(folder, 'graphql-codegen', ['--config', 'codegen.json']);
  return { ...folder, made };
}

/// The files that were made, and what is in them.
async function output({ path }) {
  const names = await readdir(join(path, 'made'));
  return Promise.all(names.sort().map(async (name) => [name, await readFile(join(path, 'made', name), 'utf8')]));
}

test('the committed schema and introspection give the same types, which fit the program', async () => {
  const headers = { authorization: `Bearer ${server.token}` };
  const folders = await Promise.all([generate('schema.graphql'), generate([{ [server.url]: { headers } }])]);
  try {
    const [committed, introspected] = folders;
    assert.equal(committed.made.code, 0, committed.made.said);
    assert.equal(introspected.made.code, 0, introspected.made.said);
    const made = await output(committed);
    assert.ok(made.length > 0);
    assert.deepEqual(await output(introspected), made);

    const checked = await run(committed, 'tsc', []);
    assert.equal(checked.code, 0, checked.said);
    const names = await fillPages(server);
    const env = { URL: server.url, TOKEN: server.token, EXPIRY: inDays(1) };
    const ran = await run(committed, 'node', ['built/tokens.js'], env);
    assert.equal(ran.code, 0, ran.said);
    const said = JSON.parse(ran.stdout);
    assert.deepEqual(said.names.sort(), [...names, 'made'].sort());
    assert.equal(said.current, 'made');
    assert.deepEqual(said.codes, [nameTaken]);
  } finally {
    await Promise.all(folders.map((folder) => folder.remove()));
  }
});

test('without a token there is no introspection', async () => {
  for (const headers of [{}, { authorization: `Bearer ${WRONG_TOKEN}` }]) {
    const folder = await generate([{ [server.url]: { headers } }]);
    await folder.remove();
    assert.notEqual(folder.made.code, 0);
    assert.match(folder.made.said, /needs a token|token is not valid/);
  }
});
