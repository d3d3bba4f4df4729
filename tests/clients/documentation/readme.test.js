// The examples of README.md, in their order, against one server.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeFolder, run } from '../support/folder.js';
import { start } from '../support/server.js';

const text = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, content]) => ({ language, content }));

/// What differs from run to run, as README writes it.
function masked(answer) {
  return answer
    .replaceAll(/twr_\w{72}/g, 'twr_...')
    .replaceAll(/twr_\w{22}_\*+/g, 'twr_..._******')
    .replaceAll(/tok_\w{22}/g, 'tok_...')
    .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"..."');
}

test('the examples of the README do what they say', async () => {
  const folder = await makeFolder({});
  const server = await start('serve');
  try {
    const env = { TOKEN: server.token, PATH: process.env.PATH };
    let secret;
    let id;
    let requests = 0;
    for (const [position, { language, content }] of blocks.entries()) {
      let answer;
      if (language === 'sh' && content.startsWith('curl ')) {
        const command = content.replace('http://127.0.0.1:8080', server.origin).replace('Bearer twr_...', `Bearer ${secret}`);
        const ran = await run(folder, 'bash', ['-euc', command], env);
        assert.equal(ran.code, 0, ran.said);
        answer = JSON.parse(ran.stdout);
      } else if (language === 'graphql') {
        const expiry = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString();
        const response = await fetch(server.url, {
          method: 'POST',
          headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ query: content.replace('tok_...', id), variables: { expiry } }),
        });
        answer = await response.json();
      } else {
        continue;
      }
      requests += 1;
      assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
      secret ??= answer.data.createApiToken.token;
      id ??= answer.data.createApiToken.apiToken.id;
      const next = blocks[position + 1];
      if (next?.language === 'json' && next.content.startsWith('{\n  "data"')) {
        assert.deepEqual(JSON.parse(masked(JSON.stringify(answer))), JSON.parse(next.content));
      }
    }
    assert.equal(requests, 6);
  } finally {
    await Promise.all([server.stop(), folder.remove()]);
  }
});
