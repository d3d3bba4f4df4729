// A gateway as an operator runs it, with the files of contrib/gateways.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/// The command of a package of requirements.txt.
export const packaged = (name) => fileURLToPath(new URL(`.venv/bin/${name}`, import.meta.url));

/// A file of contrib/gateways.
export const contributed = (name) => fileURLToPath(new URL(`../../../contrib/gateways/${name}`, import.meta.url));

/// The ports of the files in contrib/gateways.
const PORTS = { gateway: 8000, inner: 8001, service: 3000, tokenwright: 8080, extAuthz: 8081, tls: 8443 };

/// Ports that nothing listens on.
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => { server.close(); return once(server, 'close'); }));
  return ports;
}

/// A file of contrib/gateways with the ports of this run in place of its own, and nothing else changed
/// but the paths of other such files.
async function configuration(name, ports, paths, change) {
  let text = change(await readFile(contributed(name), 'utf8'));
  for (const [role, port] of Object.entries(PORTS)) {
    text = text.replaceAll(new RegExp(`(127\\.0\\.0\\.1:|port_value: )${port}\\b`, 'g'), (_, before) => {
      assert.ok(ports[role], `${name} has a port of ${role}`);
      return before + ports[role];
    });
  }
  for (const [from, to] of Object.entries(paths)) text = text.replaceAll(from, to);
  return text;
}

/// Waits until something is so. The bound is for what never comes.
export async function until(what, isSo) {
  for (const start = Date.now(); !await isSo(); await pause(20)) {
    assert.ok(Date.now() - start < 60_000, `${what} within a minute`);
  }
}

/// Runs a gateway. `files` are those of contrib/gateways by the names that they get in the gateway's
/// folder, `paths` the paths in them that lead to another place here; `command` tells how to start it there.
/// `logs` is what switches its log of requests on: a part of a file, and what is put in its place.
/// `change` makes of such a file what a test wants to see go wrong.
export async function startGateway(
  { files, paths, more = {}, command, env = {}, logs, change = (text) => text }, ports,
) {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  // Workers that run as another user read there.
  await chmod(folder, 0o755);
  const [port, inner] = await freePorts(2);
  const all = { ...ports, gateway: port, inner };
  const places = Object.fromEntries(Object.entries(paths ?? {}).map(([from, to]) => [from, join(folder, to)]));
  let logged = !logs;
  const logging = (text) => {
    if (!logs) return text;
    logged ||= text.includes(logs[0]);
    return text.replace(...logs);
  };
  for (const [to, name] of Object.entries(files)) {
    await writeFile(join(folder, to), await configuration(name, all, places, (text) => change(logging(text))));
  }
  assert.ok(logged, `${logs} is in a file`);
  for (const [name, content] of Object.entries(more)) await writeFile(join(folder, name), content);
  const [program, ...args] = command(folder);
  // A file, not a pipe: nginx opens /dev/stdout, which only a file allows.
  const file = await open(join(folder, 'log'), 'a');
  const child = spawn(program, args, {
    cwd: folder,
    detached: true,
    env: { PATH: `${process.env.PATH}:/usr/sbin`, HOME: folder, ...env },
    stdio: ['ignore', file.fd, file.fd],
  });
  const log = () => readFile(join(folder, 'log'), 'utf8');
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  let code;
  ended.then((how) => { code = how; });
  const stop = async () => {
    // Its whole group: some gateways have workers.
    if (child.pid) try { process.kill(-child.pid, 'SIGKILL'); } catch { /* It has ended. */ }
    await ended;
    await file.close();
    await rm(folder, { recursive: true, force: true });
  };
  await until('it listens', async () => code !== undefined || listens(port));
  if (code !== undefined) {
    const text = await log();
    await stop();
    throw new Error(`${program} ended with ${code}:\n${text}`);
  }
  const at = (number) => `http://127.0.0.1:${number}`;
  return { origin: at(port), inner: at(inner), log, stop };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}
