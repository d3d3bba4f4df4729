// Django REST framework's own setting for proxies, NUM_PROXIES, in place of that of the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { send, startApplication } from './applications.js';
import { makeToken } from './tokens.js';
import { Tokenwright } from './tokenwright.js';

const OFFICE = '192.0.2.7';

test('NUM_PROXIES says which address of X-Forwarded-For counts', async (t) => {
  const tokenwright = await Tokenwright.start();
  t.after(() => tokenwright.stop());
  const service = await makeToken(tokenwright, 'orders service', { permissions: ['api.api-tokens.read'] });
  const office = { permissions: ['shop.orders.read'], allowedAddresses: [OFFICE] };
  const { secret } = await makeToken(tokenwright, 'office', office);
  for (const [proxies, forwarded, status] of [
    ['', OFFICE, 401],
    ['0', OFFICE, 401],
    ['1', OFFICE, 200],
    ['1', `${OFFICE}, 198.51.100.1`, 401],
    ['1', `198.51.100.1, ${OFFICE}`, 200],
    ['2', `${OFFICE}, 198.51.100.1`, 200],
    ['2', `${OFFICE}, 198.51.100.1, 10.0.0.5`, 401],
    ['2', OFFICE, 200],
    ['1', 'unknown', 401],
  ]) {
    const application = await startApplication('Django REST framework', {
      url: tokenwright.origin, token: service.secret, TRUSTED_PROXIES: '', NUM_PROXIES: proxies,
    });
    try {
      const headers = [['x-forwarded-for', forwarded]];
      const answer = await send(application, { path: '/orders', authorization: [`Bearer ${secret}`], headers });
      assert.equal(answer.status, status, `NUM_PROXIES=${proxies}, X-Forwarded-For: ${forwarded}`);
    } finally {
      await application.stop();
    }
  }
});
