// A stock RFC 7662 client, mod_auth_openidc, protects pages by introspection.

import assert from 'node:assert/strict';
import { CASES } from './cases.js';
import { protects } from './protects.js';
import { startTls } from './tls.js';
import { trap } from './trap.js';

const MODULES = [
  'mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_openidc', 'env', 'headers', 'proxy', 'proxy_http',
];

const apache = async (tokenwright, stops) => {
  const tls = await startTls(Number(new URL(tokenwright.origin).port));
  stops.push(tls.stop);
  const loaded = MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const main = [
    'ServerName localhost', ...loaded, 'PidFile apache.pid', 'ErrorLog /dev/stderr', 'User www-data', 'Group www-data',
    'CustomLog /dev/stdout "%h \\"%r\\" %>s"', 'OIDCCABundlePath ca.pem', 'Include tokenwright.conf',
  ];
  return {
    files: { 'tokenwright.conf': 'apache/tokenwright.conf' },
    more: { 'apache2.conf': main.join('\n'), 'ca.pem': tls.certificate },
    ports: { tls: tls.port },
    env: { TOKENWRIGHT_TOKEN: tokenwright.token },
    command: (folder) => ['apache2', '-d', folder, '-f', 'apache2.conf', '-D', 'FOREGROUND'],
  };
};

/// It says of no token what RFC 6750 has for a request that is not well-formed.
const MISSING = { challenge: /^Bearer error="invalid_request"/ };
/// It does not say which permissions are needed.
const WITHOUT_SCOPE = { challenge: /error="insufficient_scope"/ };

protects(apache, {
  differs: {
    'no token': MISSING,
    'another scheme': MISSING,
    'a token in the query string': MISSING,
    'without the permission': WITHOUT_SCOPE,
    'with one of two permissions': WITHOUT_SCOPE,
    'permissions that the client writes itself': WITHOUT_SCOPE,
  },
  cases: [...CASES, { name: 'a bound token, since Apache tells no address', asked: { token: 'bound' }, status: 401 }],
  identity: ['x-tokenwright-user-id', 'x-tokenwright-token-id', 'x-tokenwright-permissions'],
  unanswered: { hung: 401, gone: 401, refuses: 401 },
  // It tells no address, and makes 401 of every answer that is none.
  limited: { status: 401 },
});

trap(
  'without the interval, a token that is deleted still passes', apache,
  ['OIDCOAuthTokenIntrospectionInterval -1', ''],
  async (world) => {
    assert.equal((await world.send({ token: 'to be deleted' })).status, 200);
    await world.remove('to be deleted');
    assert.equal((await world.send({ token: 'to be deleted' })).status, 200);
  },
);
