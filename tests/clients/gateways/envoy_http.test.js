import assert from 'node:assert/strict';
import { ELSEWHERE, HOME } from './client.js';
import { envoy } from './envoy.js';
import { protects } from './protects.js';
import { trap } from './trap.js';

const overHttp = envoy('http.yaml');

protects(overHttp, {
  // It refuses to remove that header.
  differs: { 'a header that is removed on the way': { status: 400 } },
  unanswered: { hung: 503, gone: 503 },
});

trap(
  'without use_remote_address, Envoy hands on what the client wrote into X-Forwarded-For', overHttp,
  ['use_remote_address: true', 'use_remote_address: false'],
  async (world) => {
    const headers = [['X-Forwarded-For', HOME]];
    assert.equal((await world.send({ token: 'bound', from: ELSEWHERE, headers })).status, 200);
  },
);
