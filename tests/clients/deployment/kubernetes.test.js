// contrib/kubernetes, as far as it can be tried without a cluster.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { check, contributed, objects, serves } from './deployed.js';

const file = contributed('kubernetes/tokenwright.yaml');
const all = await objects('kubernetes/tokenwright.yaml');
const of = (kind) => all.find((object) => object.kind === kind);
const { spec: pod } = of('Deployment').spec.template;

test('it is what Kubernetes understands, and a wrong key would not be', async () => {
  const right = await check('kubernetes-validate', '--strict', file);
  assert.equal(right.code, 0, right.said);
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-'));
  try {
    const path = join(folder, 'wrong.yaml');
    await writeFile(path, (await readFile(file, 'utf8')).replace('readinessProbe', 'readyProbe'));
    const { code, said } = await check('kubernetes-validate', '--strict', path);
    assert.notEqual(code, 0, said);
    assert.match(said, /readyProbe/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the server starts with its settings', async () => {
  const [{ env }] = pod.containers;
  await serves(Object.fromEntries(env.map(({ name, value }) => [name, value])));
});

test('everything means the same pods and ports', () => {
  const { matchLabels } = of('Deployment').spec.selector;
  assert.deepEqual(of('Deployment').spec.template.metadata.labels, matchLabels);
  assert.deepEqual(of('Service').spec.selector, matchLabels);
  for (const kind of ['PodDisruptionBudget', 'NetworkPolicy']) {
    const { selector, podSelector } = of(kind).spec;
    assert.deepEqual((selector ?? podSelector).matchLabels, matchLabels, kind);
  }
  const [container] = pod.containers;
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
  const listens = (name) => Number(container.env.find((variable) => variable.name === name).value.split(':').at(-1));
  assert.deepEqual(ports, {
    http: listens('TOKENWRIGHT_LISTEN'), metrics: listens('TOKENWRIGHT_METRICS_LISTEN'),
  });
  assert.equal(of('Service').spec.ports.length, 1, 'metrics are not part of the service');
  for (const probe of [container.livenessProbe, container.readinessProbe]) assert.equal(probe.httpGet.port, 'http');
});

test('the pods meet the restricted standard of Kubernetes', () => {
  assert.equal(pod.securityContext.runAsNonRoot, true);
  assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault');
  for (const { securityContext } of [...pod.initContainers, ...pod.containers]) {
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] },
    });
  }
});
