import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from './client.js';
import { packaged, until } from './gateway.js';
import { protects } from './protects.js';
import { trap } from './trap.js';
import { startWorld } from './world.js';

const traefik = () => ({
  files: { 'traefik.yml': 'traefik/traefik.yml', 'tokenwright.yml': 'traefik/tokenwright.yml' },
  paths: { '/etc/traefik/tokenwright.yml': 'tokenwright.yml' },
  logs: ['providers:', 'accessLog: {}\nlog: { level: DEBUG }\nproviders:'],
  command: (folder) => [packaged('traefik'), `--configFile=${folder}/traefik.yml`],
});

protects(traefik, { unanswered: { hung: 504, gone: 502 } });

trap(
  'without the list of headers, Traefik hands on to Tokenwright what the client sent', traefik,
  [/authRequestHeaders: .*/g, ''],
  async (world) => {
    const headers = [['X-Request-Id', 'of-the-client']];
    assert.equal((await world.send({ token: 'reader of analyses', headers })).status, 403);
    await until('it is in the log', async () => world.tokenwright.said.join('\n').includes('of-the-client'));
  },
);

test('at the entry point for its own questions, Traefik serves nothing else', async () => {
  const world = await startWorld(traefik);
  try {
    const token = world.tokens['reader of engagements'].secret;
    const { status } = await ask(world.gateway.inner, { path: '/authorize?permission=api.engagements.read', token });
    assert.equal(status, 200);
    for (const path of ['/engagements/1', '/authorize/../engagements/1', '/graphql', '/oauth2/revoke', '/authorizes']) {
      assert.equal((await ask(world.gateway.inner, { path, token })).status, 404, path);
    }
    assert.deepEqual(world.service.seen, []);
  } finally {
    await world.stop();
  }
});
