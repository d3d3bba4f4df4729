// The request that Spring Security sends: the service's token as the password of HTTP Basic, the client's in a form.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeToken } from './tokens.js';
import { Tokenwright } from './tokenwright.js';

test('Spring Security is answered with what it makes a principal of', async (t) => {
  const tokenwright = await Tokenwright.start();
  t.after(() => tokenwright.stop());
  const service = await makeToken(tokenwright, 'orders service', { permissions: ['api.api-tokens.read'] });
  const token = await makeToken(tokenwright, 'client', {
    permissions: ['shop.orders.read', 'shop.orders.write'], labels: { tenant: 'acme' },
  });
  const bound = await makeToken(tokenwright, 'bound', {
    permissions: ['shop.orders.read'], allowedAddresses: ['127.0.0.1'],
  });
  const introspect = async (secret) => {
    const credentials = Buffer.from(`orders:${service.secret}`).toString('base64');
    const response = await fetch(`${tokenwright.origin}/oauth2/introspect`, {
      method: 'POST',
      headers: { accept: 'application/json', authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ token: secret }),
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^application\/json/);
    return response.json();
  };
  const { active, scope, sub, client_id, username, exp, iat, labels } = await introspect(token.secret);
  assert.deepEqual(
    { active, scope, sub, client_id, username, labels },
    {
      active: true, scope: 'shop.orders.read shop.orders.write', sub: token.userId, client_id: token.id,
      username: 'client', labels: { tenant: 'acme' },
    },
  );
  assert.ok(Number.isInteger(iat) && Number.isInteger(exp) && iat < exp);
  assert.deepEqual(await introspect(bound.secret), { active: false });
});
