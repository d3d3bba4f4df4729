import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { send } from './request.js';
import { start } from './server.js';

let server;
before(async () => { server = await start(); });
after(() => server?.stop());

test('the program answers', async () => {
  const { status, body } = await send(server, '{ currentApiToken { name } }');
  assert.equal(status, 200);
  assert.deepEqual(body, { data: { currentApiToken: { name: 'administrator' } } });
});
