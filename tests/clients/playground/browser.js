// The playground in a real browser, and what a person does there.

import { chromium } from 'playwright-core';

/// Debian's browser, without what it would ask other hosts for.
const BROWSER = {
  executablePath: process.env.TOKENWRIGHT_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
};

/// Longest wait for what the page does: a busy machine is slow.
const PATIENCE = 60_000;

/// A browser whose profile is kept in a folder.
export async function launch(folder, options = {}) {
  const context = await chromium.launchPersistentContext(folder, {
    ...BROWSER, viewport: { width: 1440, height: 900 }, ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await context.addInitScript(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) => {
      violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  return context;
}

/// A new page, and what it asked for and complained of.
export async function open(context, url) {
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  page.on('request', (request) => seen.requests.push(request));
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  page.on('dialog', (dialog) => seen.complaints.push(dialog.message()));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.complaints.push(message.text());
  });
  await page.goto(url);
  await ready(page);
  return { page, seen };
}

/// Waits until the editors are there.
export async function ready(page) {
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  await page.locator('.graphiql-editor-tool .view-line:visible').first().waitFor();
}

/// The whole text of an editor: `operation.graphql`, `variables.json`, `request-headers.json`, `response.json`.
export function text(page, editor) {
  return page.evaluate(
    (name) => __MONACO.editor.getModels().find((model) => model.uri.path.endsWith(name)).getValue(),
    editor,
  );
}

/// Pastes a text in place of what an editor has. Typing it would have brackets closed on the way.
async function paste(page, pane, value) {
  await page.locator(`${pane} .view-lines:visible`).first().click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), value);
  await page.keyboard.press('ControlOrMeta+V');
}

export async function pasteToken(page, token) {
  await page.getByRole('button', { name: 'Headers' }).click();
  await paste(page, '.graphiql-editor-tool', JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2));
}

export async function pasteVariables(page, value) {
  await page.getByRole('button', { name: 'Variables' }).click();
  await paste(page, '.graphiql-editor-tool', value);
}

export function pasteOperation(page, value) {
  return paste(page, '.graphiql-query-editor', value);
}

export function openTab(page, name) {
  return page.getByRole('tab', { name }).click();
}

/// Runs the operation of the open tab; its answer, once it is shown.
export async function run(page) {
  const answered = page.waitForResponse((response) => (
    response.url().endsWith('/graphql') && response.request().postDataJSON().operationName !== 'IntrospectionQuery'
  ));
  await page.getByRole('button', { name: 'Execute query' }).click();
  const answer = await (await answered).json();
  await page.waitForFunction(
    (wanted) => {
      const shown = __MONACO.editor.getModels().find((model) => model.uri.path.endsWith('response.json'));
      try { return JSON.stringify(JSON.parse(shown.getValue())) === wanted; } catch { return false; }
    },
    JSON.stringify(answer),
  );
  return answer;
}
