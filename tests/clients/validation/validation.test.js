// The server accepts and refuses what graphql-js does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { specifiedRules } from 'graphql';
import { send } from '../support/request.js';
import { start } from '../support/server.js';
import { disagreements, documents, variables } from './corpus.js';
import { refusedBy, servedSchema } from './reference.js';

/// Rules that no document can break here: the schema has no subscription and no input object of one field.
const NOT_HERE = ['SingleFieldSubscriptionsRule'];

let server;
let schema;
before(async () => {
  server = await start();
  schema = await servedSchema(server);
});
after(() => server?.stop());

const known = disagreements();
const groups = [...documents(), ...variables()];

for (const { rule, cases } of groups) {
  test(`${rule}: accepted and refused as by graphql-js`, async (t) => {
    for (const [name, request] of cases) {
      await t.test(name, async () => {
        const ours = await answer(request);
        const theirs = refusedBy(schema, request);
        const told = `${request.query}\ngraphql-js: ${theirs.join(', ') || 'accepted'}\nours: ${JSON.stringify(ours)}`;
        if (known[`${rule}: ${name}`]) {
          assert.notEqual(ours.refused, theirs.length > 0, `they agree by now: ${told}`);
        } else {
          assert.equal(ours.refused, theirs.length > 0, told);
        }
      });
    }
  });
}

test('every rule is broken by a document and kept by another one of its group', () => {
  const broken = new Set();
  for (const { rule, cases } of documents()) {
    const verdicts = cases.map(([, request]) => refusedBy(schema, request));
    assert.ok(verdicts.some((rules) => rules.length === 0), `${rule} has a valid document`);
    verdicts.flat().forEach((name) => broken.add(name));
  }
  const all = specifiedRules.map((rule) => rule.name).filter((name) => !NOT_HERE.includes(name));
  assert.deepEqual(all.filter((name) => !broken.has(name)), []);
});

test('there are documents and variables enough, and every disagreement is about one of them', () => {
  const count = (groups) => groups.reduce((sum, { cases }) => sum + cases.length, 0);
  assert.ok(count(documents()) >= 60 && count(variables()) >= 30);
  const names = new Set(groups.flatMap(({ rule, cases }) => cases.map(([name]) => `${rule}: ${name}`)));
  assert.equal(names.size, count(groups), 'every name is there once');
  for (const [name, reason] of Object.entries(known)) {
    assert.ok(names.has(name) && reason.length > 10, name);
  }
});

/// Sends it; a refusal must say where the fault is, within the document, and carry its code.
async function answer({ query, variables }) {
  const { body } = await send(server, query, { variables });
  if ('data' in body) return { refused: false };
  const lines = query.split(/\r\n|[\r\n]/);
  for (const { message, locations, extensions } of body.errors) {
    assert.equal(extensions.code, 'BAD_USER_INPUT', message);
    for (const { line, column } of locations ?? []) {
      assert.ok(line >= 1 && line <= lines.length, `${message}: line ${line} of\n${query}`);
      assert.ok(column >= 1 && column <= lines[line - 1].length + 1, `${message}: column ${column} of\n${query}`);
    }
    if (['syntax', 'validation'].includes(extensions.reason)) {
      const placeless = /^The document has no operation|^The document is not well-formed/.test(message);
      assert.ok(locations?.length || placeless, `${message} has no place in\n${query}`);
    }
  }
  return { refused: true, errors: body.errors.map(({ message }) => message) };
}
