// Automatic persisted queries, which the server does not have: Apollo's own link must find that out and go on.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { start } from '../support/server.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

const WHO = gql`query Who { currentUser { name } }`;
const NAME = gql`query Name { currentApiToken { name } }`;

for (const useGETForHashedQueries of [false, true]) {
  for (const accept of [undefined, 'application/json']) {
    test(`the text follows the hash: ${useGETForHashedQueries ? 'GET' : 'POST'}, ${accept ?? 'accept of its own'}`, async () => {
      const requests = [];
      const http = new HttpLink({
        uri: server.url,
        headers: { authorization: `Bearer ${server.token}`, ...(accept && { accept }) },
        fetch: async (url, options) => {
          const response = await fetch(url, options);
          const told = (await response.clone().json()).errors?.map((error) => error.message) ?? [];
          requests.push([options.method, ...told]);
          return response;
        },
      });
      const sha256 = (text) => createHash('sha256').update(text).digest('hex');
      const client = new ApolloClient({
        cache: new InMemoryCache(),
        link: new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(http),
      });
      const who = await client.query({ query: WHO });
      assert.equal(who.data.currentUser.name, 'administrator');
      const hashBy = useGETForHashedQueries ? 'GET' : 'POST';
      assert.equal(requests.length, 2);
      assert.deepEqual(requests[0], [hashBy, 'PersistedQueryNotSupported']);
      assert.equal(requests[1].length, 1);
      // It has learnt: no hash is tried again.
      const name = await client.query({ query: NAME });
      assert.equal(name.data.currentApiToken.name, 'administrator');
      assert.equal(requests.length, 3);
    });
  }
}
