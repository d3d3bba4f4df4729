// What GraphQL over HTTP asks of a server: every audit of graphql-http, whether it says MUST, SHOULD or MAY.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { start } from '../support/server.js';

const AUDITS = 61;

const situations = [
  { name: 'public introspection, without a token', command: 'dev', withToken: false },
  { name: 'public introspection, with a token', command: 'dev', withToken: true },
  { name: 'introspection for the authenticated, with a token', command: 'serve', withToken: true },
];

for (const { name, command, withToken } of situations) {
  describe(name, () => {
    let server;
    before(async () => { server = await start(command); });
    after(() => server?.stop());

    const fetchFn = (url, options = {}) => {
      const headers = new Headers(options.headers);
      if (withToken) headers.set('authorization', `Bearer ${server.token}`);
      return fetch(url, { ...options, headers });
    };
    const audits = serverAudits({ url: () => server.url, fetchFn });

    test('all audits are there', () => {
      assert.equal(new Set(audits.map((audit) => audit.id)).size, AUDITS);
      assert.equal(audits.length, AUDITS);
    });

    for (const audit of audits) {
      test(`${audit.id} ${audit.name}`, async () => {
        const { status, reason, response } = await audit.fn();
        assert.equal(status, 'ok', `${reason}: ${response?.status} ${response?.bodyUsed || await response?.text()}`);
      });
    }
  });
}
