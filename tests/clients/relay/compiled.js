// The compiler run on the committed schema, and what it makes.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, run } from '../support/folder.js';

// Without ES modules, because Relay's own are for bundlers: they leave out the ends of file names.
const config = {
  src: '.',
  schema: 'schema.graphql',
  language: 'javascript',
  artifactDirectory: 'made',
  eagerEsModules: false,
};

/// Compiles tokens.js; answers with a function that gives an artifact by its name.
export async function compile() {
  const folder = await makeFolder({
    'relay.config.json': JSON.stringify(config),
    'tokens.js': await readFile(fileURLToPath(new URL('tokens.js', import.meta.url))),
  });
  await mkdir(join(folder.path, config.artifactDirectory));
  const made = await run(folder, 'relay-compiler', ['--noWatchman']);
  assert.equal(made.code, 0, made.said);
  const require = createRequire(join(folder.path, config.artifactDirectory, 'artifacts'));
  const artifact = (name) => require(`./${name}.graphql.js`);
  return { artifact, remove: folder.remove };
}
