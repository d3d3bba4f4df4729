import assert from 'node:assert/strict';
import { OTHER_IDENTITY } from './cases.js';
import { packaged } from './gateway.js';
import { protects } from './protects.js';
import { values } from './service.js';
import { trap } from './trap.js';

const caddy = () => ({
  files: { Caddyfile: 'caddy/Caddyfile' },
  logs: ['127.0.0.1:8000 {', '127.0.0.1:8000 {\n\tlog'],
  // Its own API would be on a port that another Caddy has.
  env: { CADDY_ADMIN: '127.0.0.1:0' },
  command: (folder) => [packaged('caddy'), 'run', '--config', `${folder}/Caddyfile`, '--adapter', 'caddyfile'],
});

protects(caddy, { unanswered: { hung: 504, gone: 502 } });

trap(
  'without the removal, Caddy keeps a header of the client where that of Tokenwright is empty', caddy,
  [/request_header -X-Tokenwright-\*/g, ''],
  async (world) => {
    assert.equal((await world.send({ token: 'reader of engagements', headers: OTHER_IDENTITY })).status, 200);
    const [labels] = values(world.service.seen.at(-1), 'x-tokenwright-labels');
    assert.match(labels, /forged/);
  },
);
