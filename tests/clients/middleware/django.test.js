import assert from 'node:assert/strict';
import { test } from 'node:test';
import { send, startApplication } from './applications.js';
import { suite } from './suite.js';
import { makeToken } from './tokens.js';
import { Tokenwright } from './tokenwright.js';

const name = 'Django REST framework';
suite(name);

test('a method that a view names no permissions for is refused', async (t) => {
  const tokenwright = await Tokenwright.start();
  t.after(() => tokenwright.stop());
  const service = await makeToken(tokenwright, 'orders service', { permissions: ['api.api-tokens.read'] });
  const { secret } = await makeToken(tokenwright, 'reader', { permissions: ['shop.orders.read', 'shop.orders.write'] });
  const application = await startApplication(name, { url: tokenwright.origin, token: service.secret });
  t.after(() => application.stop());
  const authorization = [`Bearer ${secret}`];
  const status = async (method) => (await send(application, { path: '/orders', method, authorization })).status;
  assert.equal(await status('GET'), 200);
  assert.equal(await status('HEAD'), 200);
  // The framework itself answers it.
  assert.equal(await status('OPTIONS'), 403);
});
