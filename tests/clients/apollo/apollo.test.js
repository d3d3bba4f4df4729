import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { relayStylePagination } from '@apollo/client/utilities';
import { filter, firstValueFrom } from 'rxjs';
import { CREATE, CURRENT, PAGE } from '../support/documents.js';
import { start } from '../support/server.js';
import { faults, faulty, fillPages, invalidToken, nameTaken, settings, WRONG_TOKEN } from '../support/tokens.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

/// A client that keeps the methods which it used in `methods`.
function connect(token, options) {
  const methods = [];
  const link = new HttpLink({
    uri: server.url,
    headers: { authorization: `Bearer ${token}` },
    fetch: (url, init) => {
      methods.push(init.method);
      return fetch(url, init);
    },
    ...options,
  });
  const cache = new InMemoryCache({
    typePolicies: { Query: { fields: { apiTokens: relayStylePagination(['filter', 'orderBy']) } } },
  });
  return Object.assign(new ApolloClient({ link, cache }), { methods });
}

function create(client, input) {
  return client.mutate({ mutation: gql(CREATE), variables: { input } });
}

for (const [useGETForQueries, method] of [[false, 'POST'], [true, 'GET']]) {
  test(`a token is made and used, with queries by ${method}`, async () => {
    const client = connect(server.token, { useGETForQueries });
    const made = await create(client, settings(`made beside ${method}`));
    const { token, apiToken } = made.data.createApiToken;
    const own = connect(token, { useGETForQueries });
    const { data } = await own.query({ query: gql(CURRENT) });
    assert.equal(data.currentApiToken.id, apiToken.id);
    assert.equal(data.currentApiToken.status, 'ACTIVE');
    assert.equal(data.currentApiToken.createdUserInfo.userName, 'administrator');
    assert.deepEqual([...client.methods, ...own.methods], ['POST', method]);
  });

  test(`a refused token has its code, by ${method}`, async () => {
    const client = connect(WRONG_TOKEN, { useGETForQueries });
    await assert.rejects(client.query({ query: gql(CURRENT) }), refused([invalidToken]));
    assert.deepEqual(client.methods, [method]);
  });
}

/// Is this the client's error with these extensions?
function refused(expected) {
  return (error) => {
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.deepEqual(error.errors.map(({ extensions }) => extensions), expected);
    return true;
  };
}

test('coded errors are CombinedGraphQLErrors', async () => {
  const client = connect(server.token);
  await assert.rejects(create(client, faulty), refused(faults));
  await assert.rejects(create(client, settings('ADMINISTRATOR')), refused([nameTaken]));
});

test('an unknown field is refused before anything runs', async () => {
  const client = connect(server.token);
  await assert.rejects(client.query({ query: gql('{ nothing }') }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.equal(error.errors[0].extensions.code, 'BAD_USER_INPUT');
    assert.match(error.message, /nothing/);
    return true;
  });
});

test('fetchMore appends pages to the list in the cache', async () => {
  const own = await start('serve');
  try {
    const names = await fillPages(own);
    const client = connect(own.token, { uri: own.url });
    const list = client.watchQuery({ query: gql(PAGE), variables: { first: 3 } });
    const watching = list.subscribe(() => {});
    let { data: page } = await firstValueFrom(list.pipe(filter(({ loading }) => !loading)));
    const pages = [page.apiTokens.edges.length];
    while (page.apiTokens.pageInfo.hasNextPage) {
      const { endCursor } = page.apiTokens.pageInfo;
      ({ data: page } = await list.fetchMore({ variables: { after: endCursor } }));
      pages.push(page.apiTokens.edges.length);
    }
    watching.unsubscribe();
    assert.deepEqual(pages, [3, 3, 1]);
    const { apiTokens } = client.readQuery({ query: gql(PAGE), variables: { first: 3 } });
    assert.equal(apiTokens.totalCount, 7);
    assert.deepEqual(apiTokens.edges.map(({ node }) => node.name), names);
  } finally {
    await own.stop();
  }
});
