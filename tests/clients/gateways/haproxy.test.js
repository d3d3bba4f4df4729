import { protects } from './protects.js';

const haproxy = () => ({
  files: { 'haproxy.cfg': 'haproxy/haproxy.cfg', 'tokenwright.lua': 'haproxy/tokenwright.lua' },
  paths: { '/etc/haproxy/tokenwright.lua': 'tokenwright.lua' },
  logs: ['mode http', 'mode http\n    log stdout format raw daemon debug\n    option httplog'],
  command: (folder) => ['haproxy', '-db', '-f', `${folder}/haproxy.cfg`],
});

protects(haproxy, { unanswered: { hung: 503, gone: 503 } });
