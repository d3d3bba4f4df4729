// What a browser that was never here before has to load.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { start } from '../support/server.js';
import { launch, open } from './browser.js';
import { relay } from './wire.js';

/// What the first load fetches, the last of it when the editors start.
const PARTS = ['.js', '.css', '.ttf', 'graphql.worker', 'json.worker'];

/// Opens the page and waits until it has asked for these parts and nothing more comes; the files that it has, and all
/// bytes that came.
async function load(context, wire, parts) {
  const before = wire.received;
  const { page, seen } = await open(context, wire.origin);
  await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Mutation', exact: true }).waitFor();
  const files = () => seen.requests.map((request) => new URL(request.url()).pathname).filter((path) => path.includes('.'));
  const lacks = () => parts.some((part) => !files().some((file) => file.includes(part)));
  for (let tries = 0; lacks() && tries < 600; tries += 1) await setTimeout(100);
  for (let come; come !== wire.received;) {
    come = wire.received;
    await setTimeout(1_000);
  }
  await page.close();
  return { files: files(), bytes: wire.received - before };
}

test('the first load is less than 1.5 MB with all that belongs to it, and the next one next to nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'playground-'));
  const server = await start('dev');
  const wire = await relay(server);
  const context = await launch(folder);
  try {
    const first = await load(context, wire, PARTS);
    for (const part of PARTS) {
      assert.ok(first.files.some((file) => file.includes(part)), `${part} is among ${first.files}`);
    }
    assert.ok(first.bytes < 1_500_000, `${first.bytes} bytes`);
    const next = await load(context, wire, []);
    // The page, and the schema, which is not cached.
    assert.ok(next.bytes < first.bytes / 5, `${next.bytes} bytes after ${first.bytes}`);
    t.diagnostic(`first load: ${first.bytes} bytes, next: ${next.bytes}`);
  } finally {
    await context.close();
    wire.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
