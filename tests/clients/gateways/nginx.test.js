import assert from 'node:assert/strict';
import { protects } from './protects.js';
import { trap } from './trap.js';

const MAIN = `
worker_processes 1;
error_log stderr;
events {}
http {
    access_log /dev/stdout;
    include tokenwright.conf;
}`;

const nginx = () => ({
  files: { 'tokenwright.conf': 'nginx/tokenwright.conf' },
  more: { 'nginx.conf': MAIN },
  command: (folder) => [
    'nginx', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', `daemon off; pid ${folder}/nginx.pid;`,
  ],
});

protects(nginx, { unanswered: { hung: 503, gone: 503 } });

trap('without error_page, nginx makes 500 of 503', nginx, [/error_page .*;/g, ''], async (world) => {
  await world.tokenwright.end();
  assert.equal((await world.send({ token: 'reader of engagements' })).status, 500);
});

