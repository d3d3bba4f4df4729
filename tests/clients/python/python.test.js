import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../support/folder.js';
import { start } from '../support/server.js';
import { fillPages } from '../support/tokens.js';
import { python } from './environment.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

test('the Python client meets the program', async () => {
  const tokens = await fillPages(server);
  const here = { path: fileURLToPath(new URL('.', import.meta.url)) };
  const env = { URL: server.url, TOKEN: server.token, TOKENS: tokens.join(' '), PYTHONDONTWRITEBYTECODE: '1' };
  const ran = await run(here, python, ['-m', 'unittest', '--verbose', 'test_tokens'], env);
  assert.equal(ran.code, 0, ran.said);
  assert.match(ran.said, /Ran 5 tests/);
});
