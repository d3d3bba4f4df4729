import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cacheExchange, Client, CombinedError, fetchExchange } from '@urql/core';
import { CREATE, CURRENT, PAGE } from '../support/documents.js';
import { start } from '../support/server.js';
import { faults, faulty, fillPages, invalidToken, nameTaken, settings, WRONG_TOKEN } from '../support/tokens.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

/// A client that keeps the methods which it used in `methods`.
function connect(token, options) {
  const methods = [];
  const client = new Client({
    url: server.url,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    fetch: (url, init) => {
      methods.push(init.method);
      return fetch(url, init);
    },
    ...options,
  });
  return Object.assign(client, { methods });
}

// Left to itself, it sends short queries by GET.
for (const [preferGetMethod, method] of [[undefined, 'GET'], [false, 'POST']]) {
  test(`a token is made and used, with queries by ${method}`, async () => {
    const client = connect(server.token, { preferGetMethod });
    const made = await client.mutation(CREATE, { input: settings(`made beside ${method}`) });
    assert.equal(made.error, undefined);
    const { token, apiToken } = made.data.createApiToken;
    const own = connect(token, { preferGetMethod });
    const { data } = await own.query(CURRENT, {});
    assert.equal(data.currentApiToken.id, apiToken.id);
    assert.equal(data.currentApiToken.createdUserInfo.userName, 'administrator');
    assert.deepEqual([...client.methods, ...own.methods], ['POST', method]);
  });

  test(`a refused token has its code and status, by ${method}`, async () => {
    const client = connect(WRONG_TOKEN, { preferGetMethod });
    const { error } = await client.query(CURRENT, {});
    assert.deepEqual(extensions(error), [invalidToken]);
    assert.equal(error.response.status, 401);
    assert.deepEqual(client.methods, [method]);
  });
}

/// The extensions of all errors of a result.
function extensions(error) {
  assert.ok(error instanceof CombinedError);
  return error.graphQLErrors.map((each) => each.extensions);
}

test('coded errors are in the CombinedError of the result', async () => {
  const client = connect(server.token);
  const create = (input) => client.mutation(CREATE, { input });
  assert.deepEqual(extensions((await create(faulty)).error), faults);
  assert.deepEqual(extensions((await create(settings('ADMINISTRATOR'))).error), [nameTaken]);
});

test('the cursors lead through all pages', async () => {
  const own = await start('serve');
  try {
    const names = await fillPages(own);
    const client = connect(own.token, { url: own.url });
    const pages = [];
    let after;
    do {
      const { data } = await client.query(PAGE, { first: 3, after });
      pages.push(data.apiTokens.edges.map(({ node }) => node.name));
      assert.equal(data.apiTokens.totalCount, names.length);
      after = data.apiTokens.pageInfo.hasNextPage ? data.apiTokens.pageInfo.endCursor : undefined;
    } while (after);
    assert.deepEqual(pages, [names.slice(0, 3), names.slice(3, 6), names.slice(6)]);
  } finally {
    await own.stop();
  }
});
