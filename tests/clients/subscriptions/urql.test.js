import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { CURRENT } from '../support/documents.js';
import { start } from '../support/server.js';
import { settings } from '../support/tokens.js';
import { FOLLOW, Heard, make, newest } from './listen.js';

let server;
before(async () => { server = await start('serve', '--subscriptions'); });
after(() => server?.stop());

/// A client as its documentation puts it together.
function connect(token) {
  const socket = createClient({
    url: server.url.replace('http:', 'ws:'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({
      unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink),
    }),
  });
  const client = new Client({
    url: server.url,
    exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })],
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
  });
  return { client, socket };
}

test('queries by HTTP and events over the socket, side by side', async () => {
  const { client, socket } = connect(server.token);
  const heard = new Heard();
  const subscription = client.subscription(FOLLOW, { after: await newest(server) })
    .subscribe(({ data }) => heard.take(data.apiTokenEvents));
  const { data } = await client.query(CURRENT, {}).toPromise();
  assert.equal(data.currentApiToken.name, 'administrator');
  const [one, two] = [await make(server, settings('one')), await make(server, settings('two'))];
  await heard.targets([one.id, two.id]);
  subscription.unsubscribe();
  await socket.dispose();
});

test('faults are the errors of the result', async () => {
  const { client, socket } = connect(server.token);
  const { error } = await new Promise((resolve) => {
    client.subscription(FOLLOW, { after: 'nonsense' }).subscribe(resolve);
  });
  assert.equal(error.graphQLErrors[0].extensions.reason, 'cursor_invalid');
  await socket.dispose();
});
