// Tries a gateway with every case.

import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { ADDRESS_CASES, CASES, IDENTITY_HEADERS, OTHER_IDENTITY, PATHS } from './cases.js';
import { until } from './gateway.js';
import { values } from './service.js';
import { ends, hang, startWorld } from './world.js';

const READER = 'reader of engagements';

/// Runs a gateway through all cases. `differs` says what it does otherwise, by the names of cases: another
/// status, or a challenge that it does not hand on (`null`). `unanswered` are its answers when Tokenwright hangs
/// and when it is gone, and when it refuses with 503, if that is not handed on; `limited` is that to a client with
/// too many secrets that are not valid. `identity` are the headers that it hands on.
export function protects(
  gateway,
  {
    cases = [...CASES, ...ADDRESS_CASES], differs = {}, unanswered, limited = { status: 429, retryAfter: /^[1-9]\d?$/ },
    identity = IDENTITY_HEADERS,
  },
) {
  let world;
  before(async () => { world = await startWorld(gateway); });
  after(() => world?.stop());

  const sent = (asked) => world.send(asked);

  for (const { name, asked, ...expected } of cases) {
    test(name, async () => {
      const { status, challenge } = { ...expected, ...differs[name] };
      const reached = world.service.seen.length;
      const answer = await sent(asked);
      assert.equal(answer.status, status);
      if (status === 200) {
        const seen = world.service.seen.at(-1);
        assert.equal(world.service.seen.length, reached + 1);
        assert.equal(answer.text, 'the service');
        assert.deepEqual([seen.method, seen.body], [asked.method ?? 'GET', asked.body ?? '']);
        assert.deepEqual(values(seen, 'authorization'), [], 'the secret ends at the gateway');
      } else {
        assert.equal(world.service.seen.length, reached, 'nothing reaches the service');
        if (challenge) assert.match(answer.headers['www-authenticate'], challenge);
      }
    });
  }

  test('the service learns who calls, and nothing that the client forged', async () => {
    for (const headers of [[], OTHER_IDENTITY]) {
      assert.equal((await sent({ token: READER, headers })).status, 200);
      const seen = world.service.seen.at(-1);
      const { id, userId, name } = world.tokens[READER];
      const truth = [userId, encodeURIComponent(name), id, 'api.engagements.read', ''];
      for (const [place, header] of IDENTITY_HEADERS.entries()) {
        // A header without a value may be left out.
        const found = values(seen, header).filter((value) => value !== '');
        const expected = identity.includes(header) ? [truth[place]].filter((value) => value !== '') : [];
        assert.deepEqual(found, expected, header);
      }
    }
  });

  test('two tokens at once are no way around either', async () => {
    const [good, bad] = [READER, 'wrong'].map((name) => ['Authorization', `Bearer ${world.tokens[name].secret}`]);
    for (const headers of [[good, bad], [bad, good]]) {
      const reached = world.service.seen.length;
      const { status } = await sent({ headers });
      assert.ok([400, 401].includes(status), `${status}`);
      assert.equal(world.service.seen.length, reached);
    }
  });

  test('no spelling of a path reaches what needs other permissions', async () => {
    for (const path of PATHS) {
      const reached = world.service.seen.length;
      const { status } = await sent({ token: READER, path });
      for (const { url } of world.service.seen.slice(reached)) {
        // As a service reads it.
        const { pathname } = new URL(url, 'http://service');
        assert.ok(pathname.startsWith('/engagements/'), `${path} is ${status} and reaches ${url}`);
      }
    }
  });

  test('a token that was used and is deleted is refused at once', async () => {
    assert.equal((await sent({ token: 'to be deleted' })).status, 200);
    await world.remove('to be deleted');
    assert.equal((await sent({ token: 'to be deleted' })).status, 401);
  });

  test('a token that has expired is refused', async () => {
    await ends(world.tokenwright, world.tokens.expired);
    assert.equal((await sent({ token: 'expired' })).status, 401);
  });

  test('a client with too many wrong secrets is told to wait, and nobody else is', async () => {
    const reached = world.service.seen.length;
    const wrong = { token: 'wrong', from: '127.0.0.4' };
    const answers = [];
    // Twice as many as are allowed in a minute, in case the minute ends meanwhile.
    while (answers.at(-1)?.status !== 429 && answers.length < 122) answers.push(await sent(wrong));
    const last = answers.at(-1);
    assert.ok(answers.length > 60);
    assert.deepEqual([...new Set(answers.slice(0, -1).map(({ status }) => status))], [401]);
    assert.equal(last.status, limited.status);
    if (limited.retryAfter) assert.match(last.headers['retry-after'], limited.retryAfter);
    assert.equal(world.service.seen.length, reached);
    assert.equal((await sent({ token: READER, from: '127.0.0.4' })).status, 200, 'a good secret from there');
    assert.equal((await sent({ token: 'wrong', from: '127.0.0.5' })).status, 401, 'another client');
  });

  test('while Tokenwright hangs, nothing passes, and the client does not wait without end', async () => {
    await hang(world.tokenwright);
    const reached = world.service.seen.length;
    const answers = await Promise.all([READER, undefined].map((token) => sent({ token })));
    process.kill(world.tokenwright.pid, 'SIGCONT');
    assert.deepEqual(answers.map(({ status }) => status), [unanswered.hung, unanswered.hung]);
    assert.equal(world.service.seen.length, reached);
    await until('it passes again', async () => (await sent({ token: READER })).status === 200);
  });

  test('while Tokenwright has no database, nothing passes', async () => {
    await rename(world.tokenwright.file, `${world.tokenwright.file}.gone`);
    const reached = world.service.seen.length;
    for (const token of [READER, 'bound']) assert.equal((await sent({ token })).status, unanswered.refuses ?? 503);
    assert.equal(world.service.seen.length, reached);
  });

  test('without Tokenwright, nothing passes', async () => {
    await world.tokenwright.end();
    const reached = world.service.seen.length;
    for (const token of [READER, 'wrong']) assert.equal((await sent({ token })).status, unanswered.gone);
    assert.equal(world.service.seen.length, reached);
  });

  test('no secret is in the log of the gateway, nor in that of Tokenwright', async () => {
    const log = `${await world.gateway.log()}\n${world.tokenwright.said.join('\n')}`;
    assert.ok(log.includes('/engagements/1'), 'the log has the requests');
    for (const [name, { secret }] of Object.entries(world.tokens)) {
      // What a client writes into a URL is in the logs of gateways. Tokenwright takes no token from there.
      if (name !== 'shown in a URL') assert.ok(!log.includes(secret.slice(27)), `the secret ${name} is in the log`);
    }
  });
}
