import { protects } from './protects.js';

const haproxy = () => ({
  files: { 'haproxy.cfg': 'haproxy/haproxy.cfg', 'tokenwright.lua': 'haproxy/tokenwright.lua' },
  paths: { '/etc/haproxy/tokenwright.lua': 'tokenwright.lua' },
  command: (folder) => ['haproxy', '-db', '-f', `${folder}/haproxy.cfg`],
});

protects(haproxy, { unanswered: { hung: 503, gone: 503 } });
