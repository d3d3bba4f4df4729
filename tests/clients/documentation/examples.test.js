import assert from 'node:assert/strict';
import { delimiter } from 'node:path';
import { test } from 'node:test';
import { commands } from '../python/environment.js';
import { makeFolder, run } from '../support/folder.js';
import { start } from '../support/server.js';
import { makeTokens } from '../support/tokens.js';
import { sections } from './examples.js';

/// A server with as many tokens as the page says.
async function startFilled() {
  const server = await start('serve');
  await makeTokens(server, Array.from({ length: 59 }, (_, number) => `token ${number + 1}`));
  return server;
}

const examples = sections();
assert.ok(examples.length > 0);

for (const { title, files, steps } of examples) {
  test(`the examples for ${title} do what they say`, async () => {
    assert.ok(steps.length > 0);
    const folder = await makeFolder({ ...Object.fromEntries(files), 'package.json': '{ "type": "module" }' });
    const server = await startFilled();
    try {
      const env = {
        TOKENWRIGHT_URL: server.url,
        TOKEN: server.token,
        PATH: [commands, process.env.PATH].join(delimiter),
      };
      for (const { command, output } of steps) {
        const ran = await run(folder, 'bash', ['-euc', command], env);
        assert.equal(ran.code, 0, ran.said);
        assert.equal(ran.stdout.trimEnd().replaceAll(/twr_\w{72}/g, 'twr_...'), output.trimEnd());
      }
    } finally {
      await Promise.all([server.stop(), folder.remove()]);
    }
  });
}
