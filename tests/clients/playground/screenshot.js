// Makes docs/playground.png anew, on a database that is gone afterwards. scripts/test says how to name the program:
// TOKENWRIGHT_BINARY=../../target/debug/tokenwright node playground/screenshot.js

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from '../support/server.js';
import { launch, open, pasteToken, run } from './browser.js';

const folder = await mkdtemp(join(tmpdir(), 'playground-'));
const server = await start('dev');
const context = await launch(folder, { viewport: { width: 1360, height: 800 } });
try {
  const { page } = await open(context, server.origin);
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByText('Mutation', { exact: true }).click();
  await docs.getByText('createApiToken', { exact: true }).click();
  await pasteToken(page, server.token);
  await run(page);
  await page.getByRole('button', { name: 'Variables' }).click();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: fileURLToPath(new URL('../../../docs/playground.png', import.meta.url)) });
} finally {
  await context.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
