// In production the playground is off, and the schema is for those who have a token.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { start } from '../support/server.js';
import { launch, open, openTab, pasteToken, run } from './browser.js';

test('serve has no playground unless asked', async () => {
  const server = await start('serve');
  try {
    for (const path of ['/', '/playground/licenses.md']) {
      assert.equal((await fetch(server.origin + path)).status, 404, path);
    }
  } finally {
    await server.stop();
  }
});

test('the schema is fetched with the token that is pasted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'playground-'));
  const server = await start('serve', '--playground', '--introspection=authenticated');
  const context = await launch(folder);
  try {
    const { page, seen } = await open(context, server.origin);
    await page.getByText('Error fetching schema').waitFor();
    await pasteToken(page, `${server.token.slice(0, -1)}_`);
    await pasteToken(page, server.token);
    await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Mutation', exact: true }).waitFor();
    const sent = seen.requests.map((request) => request.headers().authorization).filter(Boolean);
    assert.deepEqual(sent, [`Bearer ${server.token}`], 'the whole token only, and once');
    await openTab(page, 'CurrentApiToken');
    assert.equal((await run(page)).data.currentApiToken.name, 'administrator');
    assert.deepEqual(await page.evaluate(() => violations), []);
  } finally {
    await context.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
