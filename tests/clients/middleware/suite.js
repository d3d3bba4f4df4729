// Every middleware meets the program, in its example: the same table for all, then how it asks.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { send, startApplication } from './applications.js';
import { startRelay } from './relay.js';
import { act, makeToken, makeTokens } from './tokens.js';
import { Tokenwright } from './tokenwright.js';

const table = JSON.parse(readFileSync(new URL('../../../clients/cases.json', import.meta.url), 'utf8'));
assert.ok(table.cases.length >= 60);

const READ = { permissions: ['api.api-tokens.read'] };

/// The error code and the scope of a challenge, as RFC 6750 section 3 writes them.
function challenge(value) {
  if (value === undefined) return undefined;
  assert.match(value, /^Bearer($| )/i);
  const parameter = (name) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(value)?.[1] ?? null;
  return { error: parameter('error'), scope: parameter('scope') };
}

function filled(text, tokens) {
  return text.replaceAll(/\{(\w+)\}/g, (_, name) => tokens[name].secret);
}

export function suite(name) {
  describe(name, () => {
    let tokenwright;
    let service;
    before(async () => {
      tokenwright = await Tokenwright.start();
      service = await makeToken(tokenwright, 'orders service', READ);
    });
    after(() => tokenwright?.stop());

    test('answers as the table says', async (t) => {
      const tokens = await makeTokens(tokenwright, table.tokens);
      const start = async (token) => {
        const application = await startApplication(name, { url: tokenwright.origin, token });
        t.after(() => application.stop());
        return application;
      };
      const usual = await start(service.secret);
      const powerless = await start(tokens.reader.secret);
      for (const { name: title, before: first = {}, request, expect } of table.cases) {
        await t.test(title, async () => {
          if (first.delete) await act(tokenwright, tokens, first.delete, 'delete');
          if (first.tokenwright === 'hang') tokenwright.hang();
          if (first.tokenwright === 'go on') tokenwright.goOn();
          if (first.tokenwright === 'stop') await tokenwright.end();
          if (first.tokenwright === 'start') await tokenwright.start();
          const asked = expect.asked === undefined ? undefined : await tokenwright.asked();
          const { service: which, path, authorization, headers = [], ...more } = request;
          const answer = await send(which === 'powerless' ? powerless : usual, {
            path: filled(path, tokens),
            authorization: authorization?.map((line) => filled(line, tokens)),
            headers: headers.map(([key, value]) => [key, filled(value, tokens)]),
            ...more,
          });
          assert.equal(answer.status, expect.status, answer.body);
          const told = challenge(answer.headers['www-authenticate']);
          if ([401, 403].includes(expect.status)) assert.ok(told, 'there is a challenge');
          assert.equal(told?.error ?? null, expect.error ?? null);
          assert.equal(told?.scope ?? null, expect.scope ?? null);
          if (expect.status === 503) assert.match(answer.headers['retry-after'], /^\d+$/);
          if (expect.caller) {
            const { userId, name: userName, id: tokenId, permissions, labels } = tokens[expect.caller];
            const caller = JSON.parse(answer.body);
            const inOrder = { ...caller, permissions: [...caller.permissions].sort() };
            assert.deepEqual(inOrder, { userId, userName, tokenId, permissions: [...permissions].sort(), labels });
          }
          if (asked !== undefined) assert.equal(await tokenwright.asked() - asked, expect.asked, 'questions');
        });
      }
      const written = [...tokenwright.said, usual.said, powerless.said].join('\n');
      // Servers log the URLs of requests, which is why no token is read from there.
      const { leaked, ...others } = tokens;
      for (const { secret } of [service, ...Object.values(others)]) {
        assert.ok(!written.includes(secret), 'no log has a secret');
      }
    });

    /// An application of its own for a test, with a relay between it and Tokenwright.
    async function startRelayed(t) {
      const relay = await startRelay(tokenwright.origin);
      t.after(() => relay.stop());
      const application = await startApplication(name, { url: relay.origin, token: service.secret });
      t.after(() => application.stop());
      return { relay, application };
    }

    test('asks about every request, over connections that it keeps', async (t) => {
      const { secret } = await makeToken(tokenwright, 'kept', { permissions: ['shop.orders.read'] });
      const { relay, application } = await startRelayed(t);
      const request = { path: '/orders', authorization: [`Bearer ${secret}`] };
      const asked = await tokenwright.asked();
      for (let count = 0; count < 20; count += 1) assert.equal((await send(application, request)).status, 200);
      assert.equal(await tokenwright.asked() - asked, 20);
      // A connection may still be on its way back when the next question comes.
      assert.ok(relay.connections < 10, `${relay.connections} connections for 20 questions`);
      // One that ends at the moment at which it is used is no reason to refuse.
      relay.breaks = 1;
      assert.equal((await send(application, request)).status, 200);
      assert.equal(relay.breaks, 0);
    });

    test('asks once for all who wait', async (t) => {
      const { secret } = await makeToken(tokenwright, 'awaited', { permissions: ['shop.orders.read'] });
      const { relay, application } = await startRelayed(t);
      const request = { path: '/orders', authorization: [`Bearer ${secret}`] };
      const asked = await tokenwright.asked();
      const release = relay.hold();
      const answers = Array.from({ length: 30 }, () => send(application, request));
      // By its answer those before it have been read, or nearly all of them.
      await send(application, { path: '/' });
      release();
      for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
      const questions = await tokenwright.asked() - asked;
      assert.ok(questions >= 1 && questions <= 15, `${questions} questions for 30 requests`);
    });

    test('gives nobody an answer that is older than the request', async (t) => {
      const token = await makeToken(tokenwright, 'deleted meanwhile', { permissions: ['shop.orders.read'] });
      const { relay, application } = await startRelayed(t);
      const request = { path: '/orders', authorization: [`Bearer ${token.secret}`] };
      const asked = await tokenwright.asked();
      const release = relay.hold();
      const early = send(application, request);
      while (await tokenwright.asked() === asked);
      // The answer is on its way, and the token ends.
      await act(tokenwright, { token }, 'token', 'delete');
      const late = send(application, request);
      await send(application, { path: '/' });
      release();
      assert.equal((await early).status, 200);
      assert.equal((await late).status, 401);
    });

    test('lets nobody pass unless the answer is plainly active', async (t) => {
      const { secret } = await makeToken(tokenwright, 'active', { permissions: ['shop.orders.read'] });
      const { relay, application } = await startRelayed(t);
      const request = { path: '/orders', authorization: [`Bearer ${secret}`] };
      for (const [part, instead] of [
        ['"active":true', '"active":1   '], ['"active":true', '"active":"on"'], ['"active":true', '"active":null'],
        ['"active":true', '"Active":true'], ['200 OK', '203 OK'], ['200 OK', '500 OK'], ['{"', '["'],
      ]) {
        let found = false;
        relay.change = (text) => {
          found ||= text.includes(part);
          return text.replace(part, instead);
        };
        const { status } = await send(application, request);
        assert.ok(found, part);
        assert.equal(status, 503, instead);
      }
      relay.change = (text) => text;
      assert.equal((await send(application, request)).status, 200);
    });

    test('hands on that there were too many failures, to those that fail only', async (t) => {
      const { secret } = await makeToken(tokenwright, 'well-behaved', { permissions: ['shop.orders.read'] });
      const application = await startApplication(name, { url: tokenwright.origin, token: service.secret });
      t.after(() => application.stop());
      const peer = '127.0.0.11';
      const fail = (from) => send(application, {
        path: '/orders', authorization: [`Bearer twr_${'0'.repeat(22)}_${'0'.repeat(49)}`], peer: from,
      });
      let answer;
      for (let count = 0; count < 100; count += 1) {
        answer = await fail(peer);
        if (answer.status !== 401) break;
      }
      assert.equal(answer.status, 429);
      assert.match(answer.headers['retry-after'], /^[1-9]\d?$/);
      assert.equal((await fail('127.0.0.12')).status, 401);
      assert.equal((await send(application, { path: '/orders', authorization: [`Bearer ${secret}`], peer })).status, 200);
    });

    test('remembers only where it is told to, for ten seconds at most', async (t) => {
      const token = await makeToken(tokenwright, 'remembered', { permissions: ['shop.orders.read'] });
      const authorization = [`Bearer ${token.secret}`];
      const start = (seconds) => startApplication(name, {
        url: tokenwright.origin, token: service.secret, CACHE_SECONDS: seconds,
      });
      const application = await start('10');
      t.after(() => application.stop());
      const asked = await tokenwright.asked();
      for (let count = 0; count < 3; count += 1) {
        assert.equal((await send(application, { path: '/orders', authorization })).status, 200);
      }
      assert.equal(await tokenwright.asked() - asked, 1);
      // What is remembered is the token, not that it may do something; and only for this address.
      assert.equal((await send(application, { path: '/orders', method: 'POST', authorization })).status, 403);
      assert.equal((await send(application, { path: '/orders', authorization, peer: '127.0.0.9' })).status, 200);
      assert.equal(await tokenwright.asked() - asked, 2);
      await act(tokenwright, { token }, 'token', 'delete');
      assert.equal((await send(application, { path: '/orders', authorization })).status, 200);
      assert.equal((await send(application, { path: '/orders', authorization, peer: '127.0.0.10' })).status, 401);

      const refused = await start('11').then(
        async (started) => {
          t.after(() => started.stop());
          // Django reads its settings when it first needs them.
          return String((await send(started, { path: '/orders', authorization })).status);
        },
        (error) => error.message,
      );
      assert.match(refused, /10 seconds|10 at most|Cache|^500$/);
    });
  });
}
