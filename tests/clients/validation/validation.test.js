// The server accepts and refuses what graphql-js does, in both of its versions.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { send } from '../support/request.js';
import { start } from '../support/server.js';
import { documents, variables } from './corpus.js';
import { REFERENCES, refusedBy, servedSchema } from './reference.js';

/// Rules that no document can break here: the schema has all types of operations, no `@defer` and no `@stream`; and
/// subscriptions are refused in a request, whatever they select.
const NOT_HERE = [
  'KnownOperationTypesRule', 'SingleFieldSubscriptionsRule', 'DeferStreamDirectiveOnRootFieldRule',
  'DeferStreamDirectiveOnValidOperationsRule', 'DeferStreamDirectiveLabelRule', 'StreamDirectiveOnListFieldRule',
];

/// Groups of documents that a reference reads by another edition of the language than that of September 2025,
/// which the server speaks: 16 has no descriptions of operations, 17 lets selection sets be empty.
const OTHER_EDITION = {
  'graphql-js 16': ['documents/descriptions'],
  'graphql-js 17': ['documents/empty-selections'],
};

let server;
const schemas = {};
before(async () => {
  server = await start();
  for (const [name, graphql] of Object.entries(REFERENCES)) {
    schemas[name] = await servedSchema(server, graphql);
  }
});
after(() => server?.stop());

const groups = [...documents(), ...variables()];

for (const [reference, graphql] of Object.entries(REFERENCES)) {
  for (const { rule, cases } of groups.filter(({ rule }) => !OTHER_EDITION[reference].includes(rule))) {
    test(`${rule}: accepted and refused as by ${reference}`, async (t) => {
      for (const [name, request] of cases) {
        await t.test(name, async () => {
          const ours = await answer(request);
          const theirs = refusedBy(graphql, schemas[reference], request);
          const told = `${request.query}\n${reference}: ${theirs.join(', ') || 'accepted'}\nours: ${JSON.stringify(ours)}`;
          assert.equal(ours.refused, theirs.length > 0, told);
        });
      }
    });
  }

  test(`every rule of ${reference} is broken by a document and kept by another one of its group`, () => {
    const broken = new Set();
    for (const { rule, cases } of documents().filter(({ rule }) => !OTHER_EDITION[reference].includes(rule))) {
      const verdicts = cases.map(([, request]) => refusedBy(graphql, schemas[reference], request));
      assert.ok(verdicts.some((rules) => rules.length === 0), `${rule} has a valid document`);
      verdicts.flat().forEach((name) => broken.add(name));
    }
    const all = graphql.specifiedRules.map((rule) => rule.name).filter((name) => !NOT_HERE.includes(name));
    assert.deepEqual(all.filter((name) => !broken.has(name)), []);
  });
}

/// Bodies in which a key is there twice: the last one counts, as it does to JSON.parse.
const TWICE = {
  'a query': '{"query": "{ nothing }", "query": "{ __typename }"}',
  'a query, the last one invalid': '{"query": "{ __typename }", "query": "{ nothing }"}',
  'a variable': '{"query": "query ($n: Int) { users(first: $n) { totalCount } }", "variables": {"n": "x", "n": 1}}',
  'a variable, the last one invalid':
    '{"query": "query ($n: Int) { users(first: $n) { totalCount } }", "variables": {"n": 1, "n": "x"}}',
};

for (const [name, body] of Object.entries(TWICE)) {
  test(`${name} twice in the JSON of a request`, async () => {
    const { query, variables } = JSON.parse(body);
    const ours = await answer({ query, variables, body });
    const [reference, graphql] = Object.entries(REFERENCES)[0];
    assert.equal(ours.refused, refusedBy(graphql, schemas[reference], { query, variables }).length > 0, JSON.stringify(ours));
  });
}

test('there are documents and variables enough', () => {
  const count = (groups) => groups.reduce((sum, { cases }) => sum + cases.length, 0);
  assert.ok(count(documents()) >= 60 && count(variables()) >= 30);
  const names = new Set(groups.flatMap(({ rule, cases }) => cases.map(([name]) => `${rule}: ${name}`)));
  assert.equal(names.size, count(groups), 'every name is there once');
});

/// Sends it; a refusal must say where the fault is, within the document, and carry its code.
async function answer({ query, variables, body: raw }) {
  const { body } = await send(server, query, { variables, raw });
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
