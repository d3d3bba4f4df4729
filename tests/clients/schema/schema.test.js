// The schema as tools see it: style, the contract with clients, and the committed file.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { ESLint } from 'eslint';
import {
  buildClientSchema, buildSchema, getIntrospectionQuery, isScalarType, isSpecifiedScalarType, printSchema,
} from 'graphql';
import { buildSchema as buildSchema17 } from 'graphql17';
import { send } from '../support/request.js';
import { makeFolder } from '../support/folder.js';
import { run, start } from '../support/server.js';
import { schema as committed } from './eslint.config.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

let server, served;
before(async () => {
  server = await start('serve');
  const query = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, directiveIsRepeatable: true });
  const { body } = await send(server, query);
  // Printed and read again: directives are not part of what introspection builds.
  served = buildSchema(printSchema(buildClientSchema(body.data)));
});
after(() => server?.stop());

const read = async (path) => buildSchema(await readFile(path, 'utf8'));
const told = (changes) => changes.map(({ criticality, message }) => `${criticality.level}: ${message}`);

const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: fileURLToPath(new URL('eslint.config.js', import.meta.url)),
});

test('graphql-eslint finds nothing', async () => {
  const [result] = await eslint.lintFiles([committed]);
  assert.deepEqual(result.messages.map(({ ruleId, line, message }) => `${ruleId} ${line}: ${message}`), []);
});

test('graphql-eslint finds what is wrong', async () => {
  const text = (await readFile(committed, 'utf8')).replace('hasNextPage: Boolean!', 'hasNextPage: Boolean');
  const bare = 'enum Bare { ONE } type BareRow { one(two: Int): Bare }';
  const [result] = await eslint.lintText(`${text}\n${bare}`, { filePath: committed });
  const found = result.messages.map(({ ruleId, message }) => `${ruleId.split('/')[1]}: ${message.split('.')[0]}`);
  assert.deepEqual(found.sort(), [
    'no-unreachable-types: Enum type `Bare` is unreachable',
    'no-unreachable-types: Object type `BareRow` is unreachable',
    'relay-page-info: Field `hasNextPage` must return non-null Boolean',
    'require-description: Description is required for enum "Bare"',
    'require-description: Description is required for enum value "ONE" in enum "Bare"',
    'require-description: Description is required for field "one" in type "BareRow"',
    'require-description: Description is required for input value "two" in field "one"',
    'require-description: Description is required for type "BareRow"',
    'strict-id-in-types: type "BareRow" must have exactly one non-nullable unique identifier',
  ]);
});

test('what is served breaks nothing of the contract', async () => {
  const contract = await read(new URL('contract.graphql', import.meta.url));
  assert.equal(contract.getType('Permission').getValues().length, 64);
  const breaking = (await diff(contract, served)).filter((change) => change.criticality.level === CriticalityLevel.Breaking);
  assert.deepEqual(told(breaking), []);
});

test('what is served is what is committed', async () => {
  assert.deepEqual(told(await diff(await read(committed), served)), []);
});

test('every scalar of our own says where it is specified', () => {
  const scalars = Object.values(served.getTypeMap()).filter(isScalarType);
  const ours = scalars.filter((scalar) => !isSpecifiedScalarType(scalar));
  assert.deepEqual(ours.map((scalar) => scalar.name).sort(), ['DateTime', 'IpNetwork']);
  for (const scalar of ours) assert.match(scalar.specifiedByURL, /^https:/);
});

test('the texts of a catalogue come through the printed schema', async (t) => {
  const texts = ['"quotes"', 'three """ and six """"""', '\\""" and \\ and \\u0041', 'ends with "', 'two\nlines\t"""'];
  const entry = (text, n) => `[[permission]]\ncode = "own.text.n${n}"\n`
    + `description = ${JSON.stringify(text)}\ndeprecated = ${JSON.stringify(text)}\n`;
  const folder = await makeFolder({ 'own.toml': texts.map(entry).join('') });
  t.after(folder.remove);
  const printed = await run('schema', '--permissions', join(folder.path, 'own.toml'));
  for (const build of [buildSchema, buildSchema17]) {
    const values = build(printed).getType('Permission').getValues().slice(0, texts.length);
    assert.deepEqual(values.map(({ description }) => description), texts);
    assert.deepEqual(values.map(({ deprecationReason }) => deprecationReason), texts);
  }
});
