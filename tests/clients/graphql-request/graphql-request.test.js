import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClientError, GraphQLClient } from 'graphql-request';
import { CREATE, CURRENT, PAGE } from '../support/documents.js';
import { start } from '../support/server.js';
import { faults, faulty, fillPages, invalidToken, nameTaken, settings, WRONG_TOKEN } from '../support/tokens.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

function connect(token, options) {
  return new GraphQLClient(server.url, { headers: { authorization: `Bearer ${token}` }, ...options });
}

/// Is this the client's error with this status and these extensions?
function refused(status, expected) {
  return (error) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.response.status, status);
    assert.deepEqual(error.response.errors.map(({ extensions }) => extensions), expected);
    return true;
  };
}

test('a token is made and used', async () => {
  const made = await connect(server.token).request(CREATE, { input: settings('made') });
  const { token, apiToken } = made.createApiToken;
  const { currentApiToken } = await connect(token).request(CURRENT);
  assert.equal(currentApiToken.id, apiToken.id);
  assert.equal(currentApiToken.createdUserInfo.userName, 'administrator');
});

test('queries can be sent by GET', async () => {
  const methods = [];
  const watched = (url, init) => {
    methods.push(init.method);
    return fetch(url, init);
  };
  const client = connect(server.token, { method: 'GET', fetch: watched });
  const { apiTokens } = await client.request(PAGE, { first: 1 });
  assert.deepEqual(apiTokens.edges.map(({ node }) => node.name), ['administrator']);
  await client.request(CREATE, { input: settings('made beside GET') });
  assert.deepEqual(methods, ['GET', 'POST']);
});

test('coded errors are in a ClientError', async () => {
  const client = connect(server.token);
  const create = (input) => client.request(CREATE, { input });
  await assert.rejects(create(faulty), refused(200, faults));
  await assert.rejects(create(settings('ADMINISTRATOR')), refused(200, [nameTaken]));
  await assert.rejects(connect(WRONG_TOKEN).request(CURRENT), refused(401, [invalidToken]));
});

test('the cursors lead through all pages', async () => {
  const own = await start('serve');
  try {
    const names = await fillPages(own);
    const client = new GraphQLClient(own.url, { headers: { authorization: `Bearer ${own.token}` } });
    const pages = [];
    let after;
    do {
      const { apiTokens } = await client.request(PAGE, { first: 3, after });
      pages.push(apiTokens.edges.map(({ node }) => node.name));
      after = apiTokens.pageInfo.hasNextPage ? apiTokens.pageInfo.endCursor : undefined;
    } while (after);
    assert.deepEqual(pages, [names.slice(0, 3), names.slice(3, 6), names.slice(6)]);
  } finally {
    await own.stop();
  }
});
