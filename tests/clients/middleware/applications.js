// The examples, one for each framework, as their README says to run them.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request as open } from 'node:http';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../support/folder.js';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const rust = process.env.TOKENWRIGHT_EXAMPLES ?? path('../../../clients/rust/target/debug');

const uvicorn = (folder, name) => ({ TRUSTED_PROXIES }) => ({
  command: path('.venv/bin/uvicorn'),
  args: [name, '--host', '127.0.0.1', '--port', '0', '--forwarded-allow-ips', TRUSTED_PROXIES],
  cwd: path(`../../../examples/${folder}`),
});

export const applications = {
  Express: async () => {
    const files = { 'server.js': await readFile(path('../../../examples/express/server.js'), 'utf8') };
    const folder = await makeFolder({ ...files, 'package.json': '{ "type": "module" }' });
    return { command: process.execPath, args: ['server.js'], cwd: folder.path, remove: folder.remove };
  },
  FastAPI: uvicorn('fastapi', 'orders:app'),
  'Django REST framework': uvicorn('django', 'orders:application'),
  'actix-web': () => ({ command: `${rust}/example-actix`, args: [] }),
  axum: () => ({ command: `${rust}/example-axum`, args: [] }),
};

/// Starts an example that asks a Tokenwright at `url` with a token of its own.
export async function startApplication(name, { url, token, ...settings }) {
  const env = {
    PATH: process.env.PATH,
    LISTEN: '127.0.0.1:0',
    PYTHONDONTWRITEBYTECODE: '1',
    TOKENWRIGHT_URL: url,
    TOKENWRIGHT_TOKEN: token,
    TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8',
    ...settings,
  };
  const { command, args, cwd, remove } = await applications[name](env);
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const application = { said: '' };
  const ended = new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  application.stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await remove?.();
  };
  application.origin = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        application.said += text;
        const address = /(?:listening|running) on (http:\/\/\S+)/.exec(application.said);
        if (address) resolve(address[1]);
      });
    }
    ended.then(async (code) => {
      await remove?.();
      reject(new Error(`the example for ${name} ended with ${code}:\n${application.said}`));
    }, reject);
  });
  return application;
}

/// How long an application may take at most, on a machine that does much else: it waits for two seconds.
const LIMIT = 20_000;

/// Sends a request from an address of this machine. A header may have several values, each a line of its own.
export function send(application, { method = 'GET', path: target, authorization, peer = '127.0.0.1', headers = [] }) {
  const lines = {};
  for (const [name, value] of [...headers, ...(authorization ?? []).map((value) => ['authorization', value])]) {
    (lines[name] ??= []).push(value);
  }
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LIMIT);
    const options = { method, headers: lines, localAddress: peer, agent: false, signal };
    const request = open(`${application.origin}${target}`, options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => { body += text; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
      response.on('error', reject);
    });
    request.on('error', reject).end();
  });
}
