import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { CURRENT } from '../support/documents.js';
import { start } from '../support/server.js';
import { settings, WRONG_TOKEN } from '../support/tokens.js';
import { FOLLOW, Heard, make, newest } from './listen.js';

let server;
before(async () => { server = await start('serve', '--subscriptions'); });
after(() => server?.stop());

/// A client with a link for each transport, as its documentation puts them together.
function connect(token) {
  const socket = createClient({
    url: server.url.replace('http:', 'ws:'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: server.url, headers: { authorization: `Bearer ${token}` } }),
  );
  return { client: new ApolloClient({ link, cache: new InMemoryCache() }), socket };
}

test('queries by POST and events over the socket, side by side', async () => {
  const { client, socket } = connect(server.token);
  const heard = new Heard();
  const variables = { after: await newest(server) };
  const subscription = client.subscribe({ query: gql(FOLLOW), variables }).subscribe({
    next: ({ data }) => heard.take(data.apiTokenEvents),
  });
  const { data } = await client.query({ query: gql(CURRENT) });
  assert.equal(data.currentApiToken.name, 'administrator');
  const token = await make(server, settings('one'));
  await heard.targets([token.id]);
  subscription.unsubscribe();
  client.stop();
  await socket.dispose();
});

test('a refused token is the error of the result', async () => {
  const { client, socket } = connect(WRONG_TOKEN);
  const result = await new Promise((resolve) => {
    client.subscribe({ query: gql(FOLLOW) }).subscribe({ next: resolve, error: (error) => resolve({ error }) });
  });
  assert.match(String(result.error.message), /4401|Unauthorized/);
  client.stop();
  await socket.dispose();
});
