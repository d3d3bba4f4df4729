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
  await docs.getByRole('link', { name: 'Mutation', exact: true }).click();
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
  assert.equal(works.body.data.currentApiToken.name, data.createApiToken.apiToken.name);

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

test('the documentation greets with what this server is', () => withPage(async (page) => {
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByText('Tokenwright issues API tokens').waitFor();
  assert.match(await docs.innerText(), /subscription/i);
}));

test('the example can be run again and again', () => withPage(async (page) => {
  await pasteToken(page, server.token);
  const names = [];
  for (let time = 0; time < 3; time += 1) {
    const { data, errors } = await run(page);
    assert.equal(errors, undefined);
    const { name, expiry } = data.createApiToken.apiToken;
    assert.ok(new Date(expiry) > new Date(), 'its expiry is ahead');
    assert.equal(JSON.parse(await text(page, 'variables.json')).input.name, name, 'what was sent is shown');
    names.push(name);
  }
  assert.equal(new Set(names).size, 3);
}));

test('a name of my own is sent as it is', () => withPage(async (page) => {
  await pasteToken(page, server.token);
  const input = { name: 'mine', expiry: new Date(Date.now() + 86_400_000), permissions: ['API_API_TOKENS_READ'] };
  await pasteVariables(page, JSON.stringify({ input }));
  assert.equal((await run(page)).data.createApiToken.apiToken.name, 'mine');
  assert.equal((await run(page)).errors[0].extensions.reason, 'name_taken');
  assert.equal(JSON.parse(await text(page, 'variables.json')).input.name, 'mine');
}));

test('the empty result says what to do', () => withPage(async (page) => {
  const result = page.locator('.graphiql-response');
  await result.getByText('Put your token in place of').waitFor();
  await result.getByText('Press Run').waitFor();
  await pasteToken(page, server.token);
  await run(page);
  assert.equal(await result.getByText('Press Run').count(), 0, 'the answer is there instead');
  await openTab(page, 'CurrentApiToken');
  await result.getByText('Press Run').waitFor();
}));

/// How far the content of an element reaches beyond its right edge.
const excess = (locator) => locator.evaluate((element) => element.scrollWidth - element.clientWidth);

for (const width of [1440, 1024, 768, 390]) {
  test(`nothing is cut off in a window ${width} wide`, () => withPage(async (page) => {
    await page.setViewportSize({ width, height: 844 });
    await page.reload();
    await ready(page);
    assert.equal(await excess(page.locator('html')), 0, 'the page scrolls sideways');
    for (const pane of ['.graphiql-query-editor', '.graphiql-editor-tool']) {
      await page.waitForFunction((selector) => {
        const editor = [...document.querySelectorAll(`${selector} .monaco-editor`)].find((one) => one.clientWidth > 0);
        const lines = [...editor.querySelectorAll('.view-line > span')];
        const edge = editor.getBoundingClientRect().right;
        return lines.length > 0 && lines.every((line) => line.getBoundingClientRect().right <= edge);
      }, pane);
    }
    const docs = page.locator('.graphiql-doc-explorer');
    if (await docs.count() === 0) await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await docs.getByRole('link', { name: 'Mutation', exact: true }).waitFor();
    const field = docs.getByRole('combobox');
    const room = await field.evaluate((element) => {
      const context = document.createElement('canvas').getContext('2d');
      const { font, paddingLeft, paddingRight } = getComputedStyle(element);
      context.font = font;
      return element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight)
        - context.measureText(element.placeholder).width;
    });
    assert.ok(room >= 0, `the hint in the search field lacks ${-room} pixels`);
    const [title, search] = await Promise.all([
      docs.locator('.graphiql-doc-explorer-title').boundingBox(),
      docs.locator('.graphiql-doc-explorer-search').boundingBox(),
    ]);
    assert.ok(
      title.x + title.width <= search.x || title.y + title.height <= search.y, 'the search field covers the title',
    );
  }));
}

test('a phone has room for every pane, and can do it all', () => withPage(async (page) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await ready(page);
  for (const pane of ['.graphiql-query-editor .monaco-editor', '.graphiql-editor-tool', '.graphiql-response']) {
    const box = await page.locator(pane).first().boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, `${pane} reaches out of the window`);
    assert.ok(box.width >= 280 && box.height >= 180, `${pane} is ${box.width} by ${box.height}`);
  }
  await pasteToken(page, server.token);
  assert.equal((await run(page)).errors, undefined);
  await openTab(page, 'CurrentApiToken');
  assert.equal((await run(page)).data.currentApiToken.name, 'administrator');
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
  await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Mutation', exact: true }).waitFor();
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
    await page.locator('.graphiql-doc-explorer').getByRole('link', { name: 'Mutation', exact: true }).waitFor();
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
