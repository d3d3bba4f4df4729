// Takes docs/playground.png anew: node playground/screenshot.js, in tests/clients, with TOKENWRIGHT_BINARY set.
// The token in it is one of a database that is gone when it ends.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from '../support/server.js';
import { launch, open, pasteToken, run } from './browser.js';

const picture = fileURLToPath(new URL('../../../docs/playground.png', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'playground-'));
const server = await start('dev');
const context = await launch(folder, { viewport: { width: 1440, height: 820 } });
try {
  const { page } = await open(context, server.origin);
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByRole('link', { name: 'Mutation', exact: true }).click();
  await docs.getByText('createApiToken', { exact: true }).click();
  await pasteToken(page, server.token);
  await run(page);
  await page.getByRole('button', { name: 'Variables' }).click();
  await page.locator('.graphiql-editor-tool .view-line:visible').first().waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: picture, animations: 'disabled', caret: 'hide' });
} finally {
  await context.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
