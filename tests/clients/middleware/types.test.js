// What TypeScript makes of the middleware for Express.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFolder, run } from '../support/folder.js';

const CONFIG = JSON.stringify({
  compilerOptions: {
    strict: true, noEmit: true, module: 'nodenext', target: 'es2023', preserveSymlinks: true, types: ['node'],
    exactOptionalPropertyTypes: true,
  },
});

const START = `
import express from 'express';
import { tokenwright } from 'tokenwright-express';
import { MAX_CACHE_SECONDS, Refusal, Tokenwright } from 'tokenwright-express/client';
const { requireToken } = tokenwright({ url: 'http://127.0.0.1:8080', token: 'twr_...', cacheSeconds: MAX_CACHE_SECONDS });
const app = express();
`;

async function compile(text) {
  const files = { 'orders.ts': START + text, 'tsconfig.json': CONFIG, 'package.json': '{ "type": "module" }' };
  const folder = await makeFolder(files);
  try {
    return await run(folder, 'tsc', ['--project', '.']);
  } finally {
    await folder.remove();
  }
}

test('what is right compiles', async () => {
  const { code, said } = await compile(`
    app.get('/orders', requireToken({ permissions: ['shop.orders.read'] as const }), (request, response) => {
      const tenant: string | undefined = request.tokenwright?.labels['tenant'];
      response.json({ tenant, until: request.tokenwright?.expiry.toISOString() });
    });
    try {
      await new Tokenwright({ url: 'https://tokens.example', token: 'twr_...' }).authenticate([], undefined);
    } catch (error) {
      if (error instanceof Refusal) console.log(error.status, error.headers, error.body.error_description);
    }`);
  assert.equal(code, 0, said);
});

test('what is wrong does not', async () => {
  const { code, said } = await compile(`
    requireToken({ permission: ['shop.orders.read'] });
    requireToken({ permissions: 'shop.orders.read' });
    app.get('/', requireToken(), (request) => { request.tokenwright.userId = 'usr_0'; });`);
  assert.notEqual(code, 0);
  assert.match(said, /'permission' does not exist/);
  assert.match(said, /'string' is not assignable to type 'readonly string\[\]'/);
  assert.match(said, /possibly 'undefined'/);
  assert.match(said, /read-only property/);
});
