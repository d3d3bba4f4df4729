// A page of another origin in a real browser: what it may send and read, with the setting and without.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { inDays, send } from '../support/request.js';
import { start } from '../support/server.js';

const WHO = '{ currentUser { name } }';
const CREATE = `mutation ($input: CreateApiTokenInput!) {
  createApiToken(input: $input) { apiToken { name } }
}`;

// `localhost` and `127.0.0.1` are two sites, so the browser takes one for foreign to the other.
let pages, origin, stranger, browser;
before(async () => {
  pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
  await new Promise((resolve) => pages.listen(0, resolve));
  origin = `http://localhost:${pages.address().port}`;
  stranger = `http://127.0.0.1:${pages.address().port}`;
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  pages?.close();
});

/// Fetches from within a page of this origin: what the page can read, or the name of its error.
async function fetchFrom(pageOrigin, url, options) {
  const page = await browser.newPage();
  try {
    await page.goto(pageOrigin);
    return await page.evaluate(async ([url, options]) => {
      try {
        const response = await fetch(url, options);
        const header = (name) => response.headers.get(name);
        return {
          status: response.status,
          challenge: header('www-authenticate'),
          requestId: header('x-request-id'),
          body: await response.json(),
        };
      } catch (error) {
        return error.name;
      }
    }, [url, options]);
  } finally {
    await page.close();
  }
}

/// A POST with a token, as a client in a page sends it.
const post = (token, body, more = {}) => ({
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more.headers },
  body: JSON.stringify(body),
  ...more.options,
});

const newToken = (name) => ({
  query: CREATE,
  variables: { input: { name, expiry: inDays(1), permissions: ['API_USERS_READ'] } },
});

async function names(server) {
  const { body } = await send(server, '{ apiTokens { nodes { name } } }');
  return body.data.apiTokens.nodes.map((token) => token.name).sort();
}

describe('with the origin allowed', () => {
  let server;
  before(async () => { server = await start('serve', '--allowed-origins', origin); });
  after(() => server?.stop());

  test('a query by POST is answered', async () => {
    const answer = await fetchFrom(origin, server.url, post(server.token, { query: WHO }));
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body.data, { currentUser: { name: 'administrator' } });
    assert.ok(answer.requestId);
  });

  test('a query by GET is answered', async () => {
    const url = `${server.url}?query=${encodeURIComponent(WHO)}`;
    const answer = await fetchFrom(origin, url, { headers: { authorization: `Bearer ${server.token}` } });
    assert.deepEqual(answer.body.data, { currentUser: { name: 'administrator' } });
  });

  test('a mutation is answered', async () => {
    const answer = await fetchFrom(origin, server.url, post(server.token, newToken('from a page')));
    assert.deepEqual(answer.body, { data: { createApiToken: { apiToken: { name: 'from a page' } } } });
    assert.ok((await names(server)).includes('from a page'));
  });

  test('headers that clients add are allowed', async () => {
    const headers = {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'apollographql-client-name': 'frontend',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    const answer = await fetchFrom(origin, server.url, post(server.token, { query: WHO }, { headers }));
    assert.equal(answer.status, 200);
  });

  test('a refusal can be read, with its challenge', async () => {
    const answer = await fetchFrom(origin, server.url, post('nonsense', { query: WHO }));
    assert.equal(answer.status, 401);
    assert.match(answer.challenge, /error="invalid_token"/);
    assert.equal(answer.body.errors[0].extensions.code, 'UNAUTHENTICATED');
  });

  test('a request that sends cookies along is blocked', async () => {
    const options = { credentials: 'include' };
    const answer = await fetchFrom(origin, server.url, post(server.token, { query: WHO }, { options }));
    assert.equal(answer, 'TypeError');
  });

  test('a page of any other origin is blocked, and its mutation does not run', async () => {
    const answer = await fetchFrom(stranger, server.url, post(server.token, newToken('from a stranger')));
    assert.equal(answer, 'TypeError');
    assert.ok(!(await names(server)).includes('from a stranger'));
  });
});

describe('without the setting', () => {
  let server;
  before(async () => { server = await start('serve'); });
  after(() => server?.stop());

  test('every page of another origin is blocked, and its mutation does not run', async () => {
    for (const page of [origin, stranger]) {
      const answer = await fetchFrom(page, server.url, post(server.token, newToken('from a page')));
      assert.equal(answer, 'TypeError');
      const byGet = `${server.url}?query=${encodeURIComponent(WHO)}`;
      const headers = { authorization: `Bearer ${server.token}` };
      assert.equal(await fetchFrom(page, byGet, { headers }), 'TypeError');
    }
    assert.deepEqual(await names(server), ['administrator']);
  });
});
