import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { send } from '../support/request.js';
import { start } from '../support/server.js';
import {
  launch, open, openTab, pasteOperation, pasteToken, pasteVariables, ready, run, text,
} from './browser.js';

let server;
let folder;
let context;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'playground-'));
  server = await start('dev');
  context = await launch(folder);
});

after(async () => {
  await context?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/// Opens the page, does something, and looks at what must hold whatever was done.
async function withPage(act, path = '/') {
  const { page, seen } = await open(context, server.origin + path);
  await act(page, seen);
  const elsewhere = seen.requests.map((request) => new URL(request.url())).filter(
    ({ protocol, origin }) => protocol !== 'data:' && origin !== server.origin,
  );
  assert.deepEqual(elsewhere, [], 'asked another host');
  assert.deepEqual(await page.evaluate(() => violations), [], 'did what the policy forbids');
  assert.deepEqual(seen.complaints, []);
  await page.close();
}

test('the documentation shows what createApiToken does', () => withPage(async (page) => {
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByText('Mutation', { exact: true }).click();
  await docs.getByText('createApiToken', { exact: true }).click();
  const { body } = await send(server, '{ __type(name: "Mutation") { fields { name description } } }');
  const { description } = body.data.__type.fields.find(({ name }) => name === 'createApiToken');
  const [firstWords] = description.split(/[`\n]/);
  await docs.getByText(firstWords.trim()).first().waitFor();
}));

test('a pasted token makes another one, shows it, and leaves no trace', () => withPage(async (page, seen) => {
  assert.match(await text(page, 'request-headers.json'), /"Authorization": "Bearer twr_\.\.\."/);
  await pasteToken(page, server.token);
  const { data, errors } = await run(page);
  assert.equal(errors, undefined);
  const secret = data.createApiToken.token;
  assert.match(secret, /^twr_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}$/);
  // A long line is broken where the pane ends.
  await page.waitForFunction(
    (wanted) => document.querySelector('.result-window .view-lines').innerText.replace(/\s/g, '').includes(wanted),
    secret,
  );
  const works = await send(server, '{ currentApiToken { name } }', { token: secret });
  assert.equal(works.body.data.currentApiToken.name, 'continuous integration');

  const traces = async () => {
    const everything = await page.evaluate(async () => JSON.stringify([
      { ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), await caches.keys(),
      document.cookie, location.href, history.state, window.name,
    ]));
    return [everything, JSON.stringify(await context.cookies())].filter((store) => store.includes('twr_'));
  };
  assert.deepEqual(await traces(), []);
  await page.reload();
  await ready(page);
  assert.deepEqual(await traces(), []);
  const models = await page.evaluate(() => __MONACO.editor.getModels().map((model) => model.getValue()));
  for (const token of [server.token, secret]) {
    assert.ok(!models.some((value) => value.includes(token)), 'it is back after a reload');
    assert.ok(!seen.requests.some((request) => request.url().includes(token)), 'it is in an address');
  }
}));

test('one token serves every tab', () => withPage(async (page) => {
  await pasteToken(page, server.token);
  await openTab(page, 'CurrentApiToken');
  const current = await run(page);
  assert.equal(current.data.currentApiToken.name, 'administrator');
  await openTab(page, 'ApiTokens');
  const list = await run(page);
  assert.ok(list.data.apiTokens.nodes.some(({ name }) => name === 'administrator'));
  await page.getByRole('button', { name: 'New tab' }).click();
  await pasteOperation(page, '{ currentUser { name } }');
  assert.deepEqual(await run(page), { data: { currentUser: { name: 'administrator' } } });
}));

test('the placeholder is not sent', () => withPage(async (page, seen) => {
  await openTab(page, 'CurrentApiToken');
  const { errors } = await run(page);
  assert.equal(errors[0].extensions.reason, 'token_missing');
  assert.ok(seen.requests.every((request) => !('authorization' in request.headers())));
  // The browser itself tells of every 401.
  seen.complaints.splice(0).forEach((complaint) => assert.match(complaint, /status of 401/));
}));

test('the editors complete and judge what is typed', () => withPage(async (page) => {
  await page.locator('.graphiql-doc-explorer').getByText('Mutation', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.locator('.graphiql-query-editor .view-lines').click();
  await page.keyboard.type('{ currentApiT');
  const suggestion = page.locator('.suggest-widget.visible .monaco-list-row', { hasText: 'currentApiToken' });
  await suggestion.first().click();
  assert.match(await text(page, 'operation.graphql'), /\{ currentApiToken\b/);

  await pasteOperation(page, '{ currentApiToken { nothing } }');
  await page.locator('.graphiql-query-editor .squiggly-error').waitFor();
  await pasteOperation(page, 'query ($first: Int) { apiTokens(first: $first) { totalCount } }');
  await page.locator('.graphiql-query-editor .squiggly-error').waitFor({ state: 'detached' });
  await pasteVariables(page, '{ "first": "many" }');
  await page.locator('.graphiql-editor-tool .squiggly-error, .graphiql-editor-tool .squiggly-warning').waitFor();
}));

test('prettifying keeps comments', () => withPage(async (page) => {
  await page.getByRole('button', { name: 'New tab' }).click();
  await pasteOperation(page, '# why\n{currentUser{name}}');
  await pasteVariables(page, '{"a":[1,{"b":"twice"}]} // what');
  await page.getByRole('button', { name: /^Prettify/ }).click();
  await page.waitForFunction(() => __MONACO.editor.getModels().some((model) => model.getValue().includes('{\n  currentUser')));
  assert.equal(await text(page, 'operation.graphql'), '# why\n{\n  currentUser {\n    name\n  }\n}\n');
  const variables = await text(page, 'variables.json');
  assert.match(variables, /"a": \[\n/);
  assert.match(variables, /\/\/ what/);
}));

test('light and dark follow the system, and the settings', () => withPage(async (page) => {
  const lightness = () => page.evaluate(() => {
    const colours = getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor.match(/\d+/g);
    return Math.max(...colours.slice(0, 3).map(Number));
  });
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok(await lightness() < 80);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.ok(await lightness() > 200);
  await page.getByRole('button', { name: 'Open settings dialog' }).click();
  await page.getByRole('button', { name: 'Dark' }).click();
  assert.ok(await lightness() < 80);
  await page.reload();
  await ready(page);
  assert.ok(await lightness() < 80, 'the choice is kept');
  assert.equal(await page.getByText('Persist headers').count(), 0, 'no way to store headers');
  await page.getByRole('button', { name: 'Open settings dialog' }).click();
  await page.getByRole('button', { name: 'System' }).click();
}));

test('an address with operations in it opens the page as ever', () => {
  const attack = new URLSearchParams({
    query: 'mutation Attack { deleteApiToken(input: { id: "tok_x", version: 1 }) { deletedApiTokenId } }',
    variables: '{"a": "<img src=x onerror=alert(1)>"}',
    headers: '{"Authorization": "Bearer <script>alert(1)</script>"}',
    operationName: '"><script>alert(1)</script>',
  });
  return withPage(async (page, seen) => {
    assert.match(await text(page, 'operation.graphql'), /^mutation CreateApiToken/m);
    await page.locator('.graphiql-doc-explorer').getByText('Mutation', { exact: true }).waitFor();
    const models = await page.evaluate(() => __MONACO.editor.getModels().map((model) => model.getValue()));
    assert.ok(!models.some((value) => /Attack|alert/.test(value)));
    const asked = seen.requests.filter((request) => request.method() === 'POST');
    assert.ok(asked.every((request) => request.postDataJSON().operationName === 'IntrospectionQuery'));
  }, `/?${attack}#${attack}`);
});

test('no other page can frame it', async () => {
  const frame = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end(`<iframe src="${server.origin}/"></iframe>`);
  });
  await new Promise((resolve) => frame.listen(0, '127.0.0.1', resolve));
  const page = await context.newPage();
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await page.goto(`http://127.0.0.1:${frame.address().port}/`);
  await refused;
  const inner = page.frames().find((candidate) => candidate !== page.mainFrame());
  assert.equal(await inner.locator('#playground').count(), 0);
  await page.close();
  frame.close();
  frame.closeAllConnections();
});

// Last: it closes the browser, so that everything is written.
test('no file of the browser holds a token', async () => {
  await context.close();
  const secret = server.token.split('_')[2];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath ?? entry.path, entry.name));
    assert.ok(!bytes.includes(secret) && !bytes.includes(Buffer.from(secret, 'utf16le')), entry.name);
  }
});
