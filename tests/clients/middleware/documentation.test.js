// What docs/verification.md shows of a framework is in its example, which the other tests run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const [, section] = /^## Middleware for your framework\n(.*?)(?=^## |(?![^]))/ms.exec(read('docs/verification.md'));

const EXAMPLES = {
  Express: 'examples/express/server.js',
  FastAPI: 'examples/fastapi/orders.py',
  'Django REST framework': 'examples/django/orders.py',
  'actix-web': 'examples/actix/src/main.rs',
  axum: 'examples/axum/src/main.rs',
};

const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

for (const [name, path] of Object.entries(EXAMPLES)) {
  test(`the snippet for ${name} is a part of its example, in its order`, () => {
    const [, snippet] = new RegExp(`^### ${name}\n.*?^\`\`\`\\w+\n(.*?)^\`\`\``, 'ms').exec(section);
    const shown = lines(snippet);
    assert.ok(shown.length >= 8, snippet);
    const example = lines(read(path));
    let from = 0;
    for (const line of shown) {
      const found = example.indexOf(line, from);
      assert.ok(found >= 0, `${path} has no such line there: ${line}`);
      from = found + 1;
    }
  });
}
