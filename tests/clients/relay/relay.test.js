import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import runtime from 'relay-runtime';
import { start } from '../support/server.js';
import { faults, faulty, fillPages, invalidToken, nameTaken, settings, WRONG_TOKEN } from '../support/tokens.js';
import { compile } from './compiled.js';

const {
  commitMutation, ConnectionHandler, createOperationDescriptor, Environment, fetchQuery, getFragment, getRequest,
  getSingularSelector, Network, RecordSource, ROOT_ID, Store,
} = runtime;

let compiled;
let server;
let names;
before(async () => {
  compiled = await compile();
  server = await start('serve');
  names = await fillPages(server);
});
after(() => Promise.all([server?.stop(), compiled?.remove()]));

function connect(token) {
  const send = async ({ text }, variables) => {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  };
  return new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
}

async function read(environment, name, variables = {}) {
  return fetchQuery(environment, compiled.artifact(name), variables).toPromise();
}

/// The answer of a mutation, and its errors.
async function change(environment, name, variables) {
  const mutation = compiled.artifact(name);
  return new Promise((resolve, reject) => {
    const onCompleted = (data, errors) => resolve({ data, errors });
    commitMutation(environment, { mutation, variables, onCompleted, onError: reject });
  });
}

/// A fragment's data in the store.
async function look(environment, name, key) {
  return environment.lookup(getSingularSelector(getFragment(compiled.artifact(name)), key)).data;
}

/// Fetches the first page, keeps it, and answers with the key of its fragment.
async function firstPage(environment) {
  const query = getRequest(compiled.artifact('tokensQuery'));
  const operation = createOperationDescriptor(query, { first: 3 });
  environment.retain(operation);
  await read(environment, 'tokensQuery', { first: 3 });
  return environment.lookup(operation.fragment).data;
}

test('pages are appended to the connection in the store', async () => {
  const environment = connect(server.token);
  const root = await firstPage(environment);
  const list = async () => (await look(environment, 'tokens_list', root)).apiTokens;
  const lengths = [(await list()).edges.length];
  while ((await list()).pageInfo.hasNextPage) {
    const { endCursor } = (await list()).pageInfo;
    await read(environment, 'tokensPageQuery', { first: 3, after: endCursor });
    lengths.push((await list()).edges.length);
    assert.notEqual((await list()).pageInfo.endCursor, endCursor);
  }
  assert.deepEqual(lengths, [3, 6, 7]);
  assert.deepEqual((await list()).edges.map(({ node }) => node.name), names);
});

test('a token is made, joins the list and is used', async () => {
  const environment = connect(server.token);
  const root = await firstPage(environment);
  const filters = { orderBy: { field: 'NAME', direction: 'ASC' } };
  const list = ConnectionHandler.getConnectionID(ROOT_ID, 'tokens_apiTokens', filters);
  const variables = { input: settings('zulu'), connections: [list] };
  const { data, errors } = await change(environment, 'tokensCreateMutation', variables);
  assert.equal(errors, null);
  const { token, apiToken } = data.createApiToken;
  const { apiTokens } = await look(environment, 'tokens_list', root);
  assert.deepEqual(apiTokens.edges.map(({ node }) => node.name), [...names.slice(0, 3), 'zulu']);
  const { currentApiToken } = await read(connect(token), 'tokensCurrentQuery');
  assert.equal(currentApiToken.id, apiToken.id);
  assert.equal(currentApiToken.createdUserInfo.userName, 'administrator');
});

test('a node is fetched again by its id', async () => {
  const environment = connect(server.token);
  const root = await firstPage(environment);
  const { edges } = (await look(environment, 'tokens_list', root)).apiTokens;
  const key = edges[1].node;
  const [before, id] = [await look(environment, 'tokens_token', key), key.__id];
  await change(connect(server.token), 'tokensRenameMutation', { input: { id, version: 1, enabled: false } });
  await read(environment, 'tokensTokenQuery', { id });
  const now = await look(environment, 'tokens_token', key);
  assert.deepEqual([before.status, now.status, now.version], ['ACTIVE', 'DISABLED', 2]);
});

test('coded errors of a mutation are handed to onCompleted', async () => {
  const environment = connect(server.token);
  const create = async (input) => {
    const { errors } = await change(environment, 'tokensCreateMutation', { input, connections: [] });
    return errors.map(({ extensions }) => extensions);
  };
  assert.deepEqual(await create(faulty), faults);
  assert.deepEqual(await create(settings('ADMINISTRATOR')), [nameTaken]);
});

test('the error of a field is caught', async () => {
  const { apiToken } = await read(connect(server.token), 'tokensOneQuery', { id: 'no id' });
  assert.equal(apiToken.ok, false);
  assert.deepEqual(apiToken.errors.map(({ extensions }) => extensions), [
    { code: 'BAD_USER_INPUT', field: 'id', reason: 'id_syntax' },
  ]);
});

test('a refused token is an error whose source has the code', async () => {
  await assert.rejects(read(connect(WRONG_TOKEN), 'tokensCurrentQuery'), ({ source }) => {
    assert.deepEqual(source.errors.map(({ extensions }) => extensions), [invalidToken]);
    return true;
  });
});
