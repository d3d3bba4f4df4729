import assert from 'node:assert/strict';
import { ELSEWHERE, HOME } from './client.js';
import { envoy } from './envoy.js';
import { protects } from './protects.js';
import { trap } from './trap.js';

const overGrpc = envoy('grpc.yaml');

protects(overGrpc, {
  // It refuses to remove that header.
  differs: { 'a header that is removed on the way': { status: 400 } },
  unanswered: { hung: 503, gone: 503 },
});

trap(
  'even without use_remote_address, the address of the socket counts', overGrpc,
  ['use_remote_address: true', 'use_remote_address: false'],
  async (world) => {
    const headers = [['X-Forwarded-For', HOME]];
    assert.equal((await world.send({ token: 'bound', from: ELSEWHERE, headers })).status, 403);
  },
);

trap(
  'without status_on_error, Envoy answers 403 when Tokenwright is gone', overGrpc,
  [/status_on_error: .*/g, ''],
  async (world) => {
    await world.tokenwright.end();
    assert.equal((await world.send({ token: 'reader of engagements' })).status, 403);
  },
);

trap(
  'with failure_mode_allow, everything passes when Tokenwright is gone', overGrpc,
  ['failure_mode_allow: false', 'failure_mode_allow: true'],
  async (world) => {
    await world.tokenwright.end();
    assert.equal((await world.send({})).status, 200);
  },
);
