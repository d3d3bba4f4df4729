import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { CURRENT } from '../support/documents.js';
import { start } from '../support/server.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

for (const useGETForHashedQueries of [false, true]) {
  test(`the text follows a hash sent by ${useGETForHashedQueries ? 'GET' : 'POST'}`, async () => {
    const requests = [];
    const hashes = new PersistedQueryLink({
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
      useGETForHashedQueries,
    });
    const http = new HttpLink({
      uri: server.url,
      headers: { authorization: `Bearer ${server.token}` },
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        const parameters = init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(url).searchParams);
        requests.push([init.method, 'query' in parameters, response.status]);
        return response;
      },
    });
    const client = new ApolloClient({ link: hashes.concat(http), cache: new InMemoryCache() });
    for (let time = 0; time < 2; time += 1) {
      const { data } = await client.query({ query: gql(CURRENT), fetchPolicy: 'network-only' });
      assert.equal(data.currentApiToken.name, 'administrator');
    }
    // The client learns that there are none, and does not ask again.
    assert.deepEqual(requests, [
      [useGETForHashedQueries ? 'GET' : 'POST', false, 400],
      ['POST', true, 200],
      ['POST', true, 200],
    ]);
  });
}
