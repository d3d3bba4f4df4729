// contrib/compose.yaml, as far as it can be tried without containers.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packaged } from '../gateways/gateway.js';
import { check, contributed, objects, serves } from './deployed.js';

const file = contributed('compose.yaml');
const [{ services, configs, networks, secrets }] = await objects('compose.yaml');

async function withFile(content, use) {
  const folder = await mkdtemp(join(tmpdir(), 'compose-'));
  try {
    const path = join(folder, 'file');
    await writeFile(path, content);
    return await use(path, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('it is what Compose understands, and a wrong key would not be', async () => {
  const schema = ['--builtin-schema', 'vendor.compose-spec', '--default-filetype', 'yaml'];
  const right = await check('check-jsonschema', ...schema, file);
  assert.equal(right.code, 0, right.said);
  const wrong = (await readFile(file, 'utf8')).replace('replicas: 3', 'replica: 3');
  const { code, said } = await withFile(wrong, (path) => check('check-jsonschema', ...schema, path));
  assert.equal(code, 1, said);
});

test('the instances start with its settings', async () => {
  assert.equal(services.tokenwright.deploy.replicas, 3);
  assert.deepEqual(services.tokenwright.healthcheck.test, ['CMD', 'tokenwright', 'healthcheck']);
  await serves(services.tokenwright.environment);
});

test('Caddy understands its settings', () => withFile(configs.caddyfile.content, async (path, folder) => {
  const args = ['validate', '--adapter', 'caddyfile', '--config', path];
  await promisify(execFile)(packaged('caddy'), args, { env: { HOME: folder } });
}));

test('only Caddy is believed, only Caddy is reached, and passwords come from files', () => {
  const { caddy, database, migrate, tokenwright } = services;
  assert.equal(tokenwright.environment.TOKENWRIGHT_TRUSTED_PROXIES, caddy.networks.front.ipv4_address);
  assert.match(caddy.networks.front.ipv4_address, /^172\.30\.80\./);
  assert.equal(networks.front.ipam.config[0].subnet, '172.30.80.0/24');
  assert.equal(networks.data.internal, true);
  for (const [name, service] of Object.entries(services)) assert.equal(Boolean(service.ports), name === 'caddy', name);
  for (const service of [migrate, tokenwright]) {
    assert.deepEqual([service.read_only, service.cap_drop], [true, ['ALL']]);
    assert.equal(service.environment.TOKENWRIGHT_DATABASE_URL_FILE, `/run/secrets/${service.secrets[0]}`);
  }
  assert.equal(database.environment.POSTGRES_PASSWORD_FILE, `/run/secrets/${database.secrets[0]}`);
  assert.deepEqual(Object.keys(secrets).sort(), ['database-password', 'database-url']);
});
