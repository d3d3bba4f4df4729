// A real Prometheus reads the server's metrics with the rules of contrib/prometheus; every query of the dashboard in
// contrib/grafana finds something in it.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { start } from '../support/server.js';

const contributed = (name) => fileURLToPath(new URL(`../../../contrib/${name}`, import.meta.url));
const promtool = (...args) => promisify(execFile)('promtool', args, { cwd: contributed('prometheus') });

let server;
let prometheus;

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

async function until(what, isSo) {
  for (const begin = Date.now(); !await isSo(); await pause(100)) {
    assert.ok(Date.now() - begin < 60_000, `${what} within a minute`);
  }
}

/// Requests of each kind, so that each family has numbers.
async function traffic() {
  const bearer = { authorization: `Bearer ${server.token}` };
  const ask = (query) => fetch(server.url, {
    method: 'POST', headers: { ...bearer, 'content-type': 'application/json' }, body: JSON.stringify({ query }),
  });
  for (const path of ['/authorize?permission=api.users.read', '/livez', '/odd']) {
    await fetch(server.origin + path, { headers: bearer });
  }
  await fetch(`${server.origin}/authorize?permission=api.users.read`, { headers: { authorization: 'Bearer wrong' } });
  await ask('{ apiTokens { nodes { name } } users { nodes { name } } }');
  const expiry = new Date(Date.now() + 86_400_000).toISOString();
  const input = `{ name: "${crypto.randomUUID()}", expiry: "${expiry}", permissions: [API_USERS_READ] }`;
  await ask(`mutation { createApiToken(input: ${input}) { apiToken { id } } }`);
}

async function startPrometheus(target) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [contributed('prometheus/tokenwright.yml')],
    scrape_configs: [{ job_name: 'tokenwright', static_configs: [{ targets: [target] }] }],
  }));
  const child = spawn('prometheus', [
    '--config.file', join(folder, 'prometheus.yml'), '--storage.tsdb.path', join(folder, 'data'),
    '--web.listen-address', `127.0.0.1:${port}`,
  ], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const get = async (path) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = await answer.json();
    assert.equal(status, 'success', error);
    return data;
  };
  const query = async (text) => (await get(`query?query=${encodeURIComponent(text)}`)).result;
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { get, query, stop };
}

before(async () => {
  server = await start('dev', '--metrics-listen', '127.0.0.1:0');
  const line = server.said.find((said) => said.includes('listening for Prometheus'));
  prometheus = await startPrometheus(new URL(/http:\S+/.exec(line)[0]).host);
  await traffic();
  // A rate needs two numbers that differ.
  await until('Prometheus has read them twice', async () => {
    await traffic();
    const rates = await prometheus.query('rate(tokenwright_requests_total{endpoint="graphql",status="2xx"}[1m])')
      .catch(() => []);
    return rates.some(({ value }) => Number(value[1]) > 0);
  });
});

after(async () => {
  await prometheus?.stop();
  await server?.stop();
});

test('Prometheus reads the metrics without a fault', async () => {
  const { activeTargets: [target] } = await prometheus.get('targets');
  assert.equal(target.health, 'up', target.lastError);
});

test('every query of the dashboard finds something', async () => {
  const dashboard = JSON.parse(await readFile(contributed('grafana/tokenwright.json'), 'utf8'));
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');
  assert.ok(panels.length > 20);
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*').replaceAll('$job', 'tokenwright');
      const found = await prometheus.query(query);
      assert.ok(found.length > 0, `${title}: ${query}`);
      assert.ok(found.some(({ value }) => !Number.isNaN(Number(value[1]))), `${title} is a number: ${query}`);
    }
  }
});

test('every name in the rules is one that the server writes', async () => {
  const text = await readFile(contributed('prometheus/tokenwright.yml'), 'utf8');
  const expressions = text.split('annotations:').map((part) => part.split('expr:').at(1) ?? '').join('\n');
  const names = new Set(expressions.match(/\b(tokenwright|process)_[a-z_]+\b/g));
  assert.ok(names.size >= 10, [...names].join());
  // There is no TLS and no audit log here; tests/it knows the names.
  names.delete('tokenwright_tls_certificate_expiry_timestamp_seconds');
  names.delete('tokenwright_audit_log_pending_timestamp_seconds');
  for (const name of names) {
    assert.ok((await prometheus.query(`count(${name})`)).length > 0, name);
  }
});

test('Prometheus evaluates the rules, and none fires', async () => {
  await until('they are evaluated', async () => {
    const { groups: [group] } = await prometheus.get('rules');
    return group.rules.length > 10 && group.rules.every(({ health }) => health === 'ok');
  });
  const { alerts } = await prometheus.get('alerts');
  assert.deepEqual(alerts.filter(({ state }) => state === 'firing'), []);
});

test('the rules fire where they should', async () => {
  const { stdout } = await promtool('test', 'rules', 'tokenwright_test.yml');
  assert.match(stdout, /SUCCESS/);
});
