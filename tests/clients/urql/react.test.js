import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { createElement, Suspense } from 'react';
import { renderToPipeableStream } from 'react-dom/server';
import { cacheExchange, Client, fetchExchange, Provider, useQuery } from 'urql';
import { CURRENT, PAGE } from '../support/documents.js';
import { start } from '../support/server.js';
import { WRONG_TOKEN } from '../support/tokens.js';

let server;
before(async () => { server = await start('serve'); });
after(() => server?.stop());

/// What a component shows once it no longer waits.
async function rendered(component, token) {
  const client = new Client({
    url: server.url,
    suspense: true,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
  });
  const page = createElement(Provider, { value: client }, createElement(Suspense, null, createElement(component)));
  const output = new PassThrough();
  await new Promise((resolve, reject) => {
    const stream = renderToPipeableStream(page, {
      onAllReady: () => resolve(stream.pipe(output)),
      onError: reject,
    });
  });
  return (await text(output)).replaceAll(/<!--.*?-->/g, '');
}

test('a component shows the tokens', async () => {
  function Tokens() {
    const [{ data }] = useQuery({ query: PAGE, variables: { first: 20 } });
    const rows = data.apiTokens.edges.map(({ node }) => createElement('li', { key: node.id }, node.name));
    return createElement('ul', null, rows);
  }
  assert.equal(await rendered(Tokens, server.token), '<ul><li>administrator</li></ul>');
});

test('a component shows the code of an error', async () => {
  function Current() {
    const [{ error }] = useQuery({ query: CURRENT });
    return createElement('p', null, error.graphQLErrors[0].extensions.code);
  }
  assert.equal(await rendered(Current, WRONG_TOKEN), '<p>UNAUTHENTICATED</p>');
});
