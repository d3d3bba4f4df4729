// contrib/kubernetes/external-secrets.yaml: its request renews a token. The operator itself does not run here, so its part
// is played: the templates that the file uses, and the path to the result.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { send } from '../support/request.js';
import { start } from '../support/server.js';
import { objects } from './deployed.js';

const [webhook, secret] = await objects('kubernetes/external-secrets.yaml');
const DAY = 24 * 60 * 60 * 1000;
const FORMAT = '"2006-01-02T15:04:05Z"';

/// What the operator makes of a text.
function rendered(template, { id, token }, now) {
  const time = (milliseconds) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
  const text = Object.entries({
    'trim .renewal.token': token.trim(),
    '.renewal.id': id,
    [`dateInZone ${FORMAT} now "UTC"`]: time(now),
    [`dateInZone ${FORMAT} (now | dateModify "72h") "UTC"`]: time(now + 3 * DAY),
  }).reduce((done, [expression, value]) => done.replaceAll(`{{ ${expression} }}`, value), template);
  assert.doesNotMatch(text, /\{\{/);
  return text;
}

/// The Secret that comes of one call, or null.
async function renewal(server, values, now) {
  const { url, method, headers, body, result } = webhook.spec;
  assert.equal(new URL(url).pathname, '/graphql');
  const response = await fetch(server.url, {
    method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, rendered(value, values, now)])),
    body: rendered(body, values, now),
  });
  if (!response.ok) return null;
  return result.jsonPath.split('.').slice(1).reduce((value, key) => value?.[key], await response.json());
}

const create = (server, name, permissions) => send(
  server,
  'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token apiToken { id version } } }',
  { token: server.token, variables: { input: { name, permissions, expiry: new Date(Date.now() + DAY) } } },
).then(({ body }) => body.data.createApiToken);

test('each call makes a token that works, until its model is disabled', async () => {
  const server = await start('serve');
  try {
    const model = await create(server, 'orders', ['API_ENGAGEMENTS_READ']);
    const caller = await create(server, 'external-secrets', ['API_API_TOKENS_WRITE', 'API_ENGAGEMENTS_READ']);
    // As a file has it, with the end of its line.
    const values = { id: model.apiToken.id, token: `${caller.token}\n` };
    const now = Date.now();
    const made = [await renewal(server, values, now), await renewal(server, values, now + 1000)];
    assert.notEqual(made[0].token, made[1].token);
    for (const values of made) {
      assert.deepEqual(Object.keys(values), ['token'], 'the keys of the Secret');
      const { body } = await send(server, '{ currentApiToken { permissions expiry } }', { token: values.token });
      const { permissions, expiry } = body.data.currentApiToken;
      assert.deepEqual(permissions, ['API_ENGAGEMENTS_READ']);
      const life = new Date(expiry) - now;
      assert.ok(life > 2.9 * DAY && life < 3.1 * DAY, expiry);
    }
    const disabled = await send(
      server, 'mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) { apiToken { status } } }',
      { token: server.token, variables: { input: { ...model.apiToken, enabled: false } } },
    );
    assert.equal(disabled.body.data.updateApiToken.apiToken.status, 'DISABLED');
    assert.equal(await renewal(server, values, now + 2000), null);
    assert.equal(await renewal(server, { ...values, token: model.token }, now), null, 'nor with another token');
  } finally {
    await server.stop();
  }
});

/// The fields of the operator's own definitions, of those that are used: what it does not know, it ignores.
const KNOWN = {
  Webhook: ['url', 'method', 'timeout', 'headers', 'body', 'result.jsonPath', 'secrets.name', 'secrets.secretRef.name'],
  ExternalSecret: [
    'refreshInterval', 'target.name', 'dataFrom.sourceRef.generatorRef.apiVersion',
    'dataFrom.sourceRef.generatorRef.kind', 'dataFrom.sourceRef.generatorRef.name',
  ],
};

/// The paths to the values of an object.
function paths(value, at = []) {
  if (Array.isArray(value)) return value.flatMap((item) => paths(item, at));
  if (typeof value !== 'object' || at.at(-1) === 'headers') return [at.join('.')];
  return Object.entries(value).flatMap(([key, item]) => paths(item, [...at, key]));
}

test('it has only fields that the operator knows, and the names fit', () => {
  for (const { kind, spec } of [webhook, secret]) {
    assert.deepEqual(paths(spec).filter((path) => !KNOWN[kind].includes(path)), [], kind);
  }
  const { generatorRef } = secret.spec.dataFrom[0].sourceRef;
  assert.deepEqual(generatorRef, {
    apiVersion: webhook.apiVersion, kind: webhook.kind, name: webhook.metadata.name,
  });
  assert.equal(secret.metadata.namespace, webhook.metadata.namespace);
});
