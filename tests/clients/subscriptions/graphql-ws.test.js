// The client that all others use for subscriptions, with its own idea of which closed sockets are worth another try.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { start } from '../support/server.js';
import { settings, WRONG_TOKEN } from '../support/tokens.js';
import { FOLLOW, Heard, make, newest, remove } from './listen.js';

let server;
before(async () => { server = await start('serve', '--subscriptions', '--allowed-origins', 'https://app.example'); });
after(() => server?.stop());

/// A client that keeps the codes of the sockets that were closed in `codes`, the first of them in `closed`, and counts
/// those that it opened.
function connect(token, { origin, ...options } = {}) {
  const codes = [];
  let opened = 0;
  let end;
  const closed = new Promise((resolve) => { end = resolve; });
  class Socket extends WebSocket {
    constructor(url, protocols) { super(url, protocols, origin ? { origin } : {}); }
  }
  const client = createClient({
    url: server.url.replace('http:', 'ws:'),
    webSocketImpl: Socket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryWait: () => Promise.resolve(),
    ...options,
    on: { opened: () => { opened += 1; }, closed: (event) => { codes.push(event.code); end(event.code); } },
  });
  return { client, closed, codes, opened: () => opened };
}

/// Follows with a client: `heard` is what came, `ended` how it ended, `stop` ends it.
function follow({ client }, variables) {
  const heard = new Heard();
  const ended = {};
  const end = new Promise((resolve, reject) => Object.assign(ended, { resolve, reject }));
  const stop = client.subscribe({ query: FOLLOW, variables }, {
    next: ({ data, errors }) => (errors ? ended.reject(errors) : heard.take(data.apiTokenEvents)),
    error: ended.reject,
    complete: ended.resolve,
  });
  return { heard, end, stop };
}

test('events come, and a client that comes back misses none', async () => {
  const first = connect(server.token);
  const { heard, end, stop } = follow(first, { after: await newest(server) });
  const one = await make(server, settings('one'));
  await heard.targets([one.id]);
  stop();
  await end;
  await first.client.dispose();
  assert.equal(await first.closed, 1000);
  const two = await make(server, settings('two'));
  const second = connect(server.token);
  const again = follow(second, { after: heard.events[0].cursor });
  await again.heard.targets([two.id]);
  const three = await make(server, settings('three'));
  await again.heard.targets([two.id, three.id]);
  await second.client.dispose();
});

test('several subscriptions share a socket, and one that ends leaves the others', async () => {
  const connected = connect(server.token, { lazy: false });
  const after = await newest(server);
  const all = follow(connected, { after });
  const deleted = follow(connected, { after, filter: { action: ['API_TOKEN_DELETED'] } });
  const token = await make(server, settings('short'));
  await all.heard.targets([token.id]);
  all.stop();
  await all.end;
  await remove(server, token.id);
  await deleted.heard.targets([token.id]);
  await connected.client.dispose();
  assert.equal(connected.opened(), 1);
});

for (const what of ['wrong', 'revoked']) {
  test(`a ${what} token ends it with 4401, and there is no other try`, async () => {
    const listener = what === 'wrong' ? { token: WRONG_TOKEN } : await make(server, settings('listener'));
    const connected = connect(listener.token, { retryAttempts: 5 });
    const { end, heard } = follow(connected, { after: await newest(server) });
    if (listener.id) {
      const seen = await make(server, settings('seen'));
      await heard.targets([seen.id]);
      await remove(server, listener.id);
    }
    await assert.rejects(end, (event) => event.code === 4401);
    assert.equal(connected.opened(), 1);
    assert.deepEqual(connected.codes, [4401]);
  });
}

test('an idle socket of a revoked token is closed with 4401', async () => {
  const listener = await make(server, settings('idle'));
  const closed = new Promise((resolve) => {
    const client = createClient({
      url: server.url.replace('http:', 'ws:'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${listener.token}` },
      lazy: false,
      onNonLazyError: () => {},
      on: { connected: () => remove(server, listener.id), closed: resolve },
    });
    assert.ok(client);
  });
  assert.equal((await closed).code, 4401);
});

test('faults of a document are the errors of the subscription, and the socket stays', async () => {
  const connected = connect(server.token, { lazy: false });
  const { end } = follow(connected, { after: 'nonsense' });
  await assert.rejects(end, ([error]) => error.extensions.reason === 'cursor_invalid');
  const narrow = connect((await make(server, settings('narrow', { permissions: ['API_USERS_READ'] }))).token);
  await assert.rejects(follow(narrow).end, ([error]) => error.extensions.code === 'FORBIDDEN');
  await narrow.client.dispose();
  await connected.client.dispose();
  assert.equal(await connected.closed, 1000);
});

test('a page of a foreign origin is refused, and one of an allowed origin listens', async () => {
  const foreign = connect(server.token, { origin: 'https://evil.example', retryAttempts: 0 });
  await assert.rejects(follow(foreign).end);
  assert.equal(foreign.opened(), 0);
  const own = connect(server.token, { origin: 'https://app.example' });
  const { heard } = follow(own, { after: await newest(server) });
  const token = await make(server, settings('for the page'));
  await heard.targets([token.id]);
  await own.client.dispose();
});

test('at the end of the server the code is one after which clients try again', async () => {
  const connected = connect(server.token, { retryAttempts: 0 });
  const { heard, end } = follow(connected, { after: await newest(server) });
  const token = await make(server, settings('before the end'));
  await heard.targets([token.id]);
  process.kill(server.pid, 'SIGTERM');
  await assert.rejects(end, (event) => event.code === 1001);
});
