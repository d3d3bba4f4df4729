// What docs/verification.md shows of a file of contrib/gateways is in that file.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { contributed } from './gateway.js';

const page = await readFile(contributed('../../docs/verification.md'), 'utf8');
const section = page.split(/^(?=## )/m).find((part) => part.startsWith('## Gateways'));
/// Each gateway's part, by its heading.
const parts = section.split(/^### /m).slice(1).map((part) => [part.split('\n')[0], part]);

const folders = { nginx: 'nginx', HAProxy: 'haproxy', Caddy: 'caddy', Traefik: 'traefik', Envoy: 'envoy', Apache: 'apache' };

test('every gateway of contrib has its part', async () => {
  const entries = await readdir(contributed('.'), { withFileTypes: true });
  const found = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  assert.deepEqual(parts.map(([heading]) => folders[heading]).sort(), found);
});

for (const [heading, part] of parts) {
  test(`${heading}: the page shows lines of a file that it names`, async () => {
    const folder = folders[heading];
    const named = [...part.matchAll(/\(\.\.\/contrib\/gateways\/([^)]+)\)/g)].map(([, name]) => name);
    const texts = await Promise.all((await readdir(contributed(folder))).map(async (name) => {
      assert.ok(named.includes(join(folder, name)) || name === 'traefik.yml', `${name} is linked`);
      return readFile(contributed(join(folder, name)), 'utf8');
    }));
    const blocks = [...part.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, block]) => block);
    assert.ok(blocks.length > 0);
    for (const block of blocks) assert.ok(texts.some((text) => text.includes(block)), block);
  });
}
