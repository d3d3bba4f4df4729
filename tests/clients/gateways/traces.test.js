// A real collector gets one trace of a request: through Traefik, through Tokenwright, to its database.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts, packaged, until } from './gateway.js';
import { startWorld } from './world.js';

/// The package has the program beside its modules.
const libraries = fileURLToPath(new URL('.venv/lib', import.meta.url));
const [python] = (await readdir(libraries)).filter((name) => name.startsWith('python3'));
const program = join(libraries, python, 'site-packages/rotel/rotel-agent');

/// A collector that writes each span that it gets.
async function startCollector() {
  const folder = await mkdtemp(join(tmpdir(), 'rotel-'));
  const [http, grpc] = await freePorts(2);
  const child = spawn(program, [
    'start', '--exporter', 'blackhole', '--debug-log', 'traces', '--debug-log-verbosity', 'detailed',
    '--otlp-http-endpoint', `127.0.0.1:${http}`, '--otlp-grpc-endpoint', `127.0.0.1:${grpc}`,
    '--pid-file', join(folder, 'pid'), '--log-file', join(folder, 'log'),
  ], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  const ended = once(child, 'exit');
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { text += part; });
  await until('it starts', () => text.includes('Starting Rotel'));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${http}`, text: () => text, spans: () => spansOf(text), stop };
}

/// The spans in what the collector wrote.
function spansOf(text) {
  return text.split(/^ResourceSpans #/m).slice(1).flatMap((resource) => {
    const service = /-> service\.name: Str\((.*)\)/.exec(resource)?.[1];
    return resource.split(/^Span #/m).slice(1).map((span) => {
      const value = (name) => new RegExp(`^ +${name} +: *(.*)$`, 'm').exec(span)?.[1].trim();
      const attributes = Object.fromEntries(
        [...span.matchAll(/^ +-> (\S+): \w+\((.*)\)$/gm)].map(([, name, text]) => [name, text]),
      );
      return { service, trace: value('Trace ID'), parent: value('Parent ID'), id: value('ID'), name: value('Name'), attributes };
    });
  });
}

const traefik = (collector) => () => ({
  files: { 'traefik.yml': 'traefik/traefik.yml', 'tokenwright.yml': 'traefik/tokenwright.yml' },
  paths: { '/etc/traefik/tokenwright.yml': 'tokenwright.yml' },
  logs: ['providers:', `tracing: { otlp: { http: { endpoint: ${collector.url}/v1/traces } } }\nproviders:`],
  command: (folder) => [packaged('traefik'), `--configFile=${folder}/traefik.yml`],
});

test('Traefik, Tokenwright and its database are in one trace', async () => {
  const collector = await startCollector();
  let world;
  try {
    world = await startWorld(traefik(collector), '--otlp-endpoint', collector.url);
    const token = 'reader of engagements';
    assert.equal((await world.send({ token })).status, 200);
    const path = (span) => span.service === 'traefik' && span.attributes['url.path'] === '/engagements/1'
      && span.attributes['http.response.status_code'] === '200' && span.parent === '';
    let spans;
    const found = () => {
      spans = collector.spans();
      const root = spans.find(path);
      const ours = spans.filter(({ service, trace }) => service === 'tokenwright' && trace === root?.trace);
      return ours.some(({ name }) => name === 'database') && ours.some(({ name }) => name === 'GET /authorize') && { root, ours };
    };
    await until('the spans are there', found);
    const { root, ours } = found();
    // Each span of ours leads to the one that the client's request began with.
    for (const span of ours) {
      const way = [span];
      while (way.at(-1).parent !== '') {
        const above = spans.find(({ id, trace }) => id === way.at(-1).parent && trace === root.trace);
        assert.ok(above, `${way.at(-1).name} has its parent`);
        way.push(above);
      }
      assert.equal(way.at(-1).id, root.id, span.name);
    }
    const names = new Set(ours.map(({ name }) => name));
    assert.deepEqual([...names].sort(), ['GET /authorize', 'database', 'judge', 'prove']);
    // Of what Tokenwright sent; Traefik's spans have the URLs of clients.
    const sent = collector.text().split(/^ResourceSpans #/m).filter((text) => text.includes('Str(tokenwright)'));
    for (const { secret, id } of Object.values(world.tokens)) {
      for (const text of [secret, id]) assert.ok(!text || !sent.some((part) => part.includes(text)));
    }
  } finally {
    await world?.stop();
    await collector.stop();
  }
});
