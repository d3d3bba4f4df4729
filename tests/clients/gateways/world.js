// Tokenwright, a service, and a gateway between the clients and the service.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { send } from '../support/request.js';
import { start } from '../support/server.js';
import { settings, WRONG_TOKEN } from '../support/tokens.js';
import { ask, HOME } from './client.js';
import { startGateway, until } from './gateway.js';
import { startService } from './service.js';

const CREATE = `
  mutation Create($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id userId } }
  }`;
const DELETE = 'mutation Delete($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }';
const DISABLE = `
  mutation Disable($id: ID!) {
    updateApiToken(input: { id: $id, version: 1, enabled: false }) { apiToken { id } }
  }`;

const READ = 'API_ENGAGEMENTS_READ';
/// The tokens of the cases.
const TOKENS = {
  'reader of engagements': { permissions: [READ] },
  'runner of analyses': { permissions: ['API_ANALYSES_READ', 'API_ANALYSES_RUN'] },
  'reader of analyses': { permissions: ['API_ANALYSES_READ'] },
  bound: { permissions: [READ], allowedAddresses: [HOME] },
  'shown in a URL': { permissions: [READ] },
  disabled: { permissions: [READ] },
  'to be deleted': { permissions: [READ] },
};

/// Starts everything. `gateway` makes the description that `startGateway` takes; it is given Tokenwright, which has
/// these settings as `more`.
export async function startWorld(gateway, ...more) {
  const stops = [];
  const stop = async () => { for (const end of stops.reverse()) await end(); };
  try {
    const tokenwright = await start(
      'serve', '--trusted-proxies', '127.0.0.1', '--ext-authz-listen', '127.0.0.1:0', ...more,
    );
    stops.push(tokenwright.stop);
    const service = await startService();
    stops.push(service.stop);
    const tokens = { wrong: { secret: WRONG_TOKEN } };
    for (const [name, more] of Object.entries(TOKENS)) tokens[name] = await create(tokenwright, name, more);
    await change(tokenwright, DISABLE, tokens.disabled);
    tokens.expired = await create(tokenwright, 'expired', {
      permissions: [READ], expiry: new Date(Date.now() + 3000).toISOString(),
    });
    const extAuthz = Number(/listening for ext_authz on \S+:(\d+)/.exec(tokenwright.said.join('\n'))[1]);
    const ports = { service: service.port, tokenwright: Number(new URL(tokenwright.origin).port), extAuthz };
    const described = await gateway(tokenwright, stops);
    const running = await startGateway(described, { ...ports, ...described.ports });
    stops.push(running.stop);
    // Traefik listens before it knows its routes.
    await until('it refuses', async () => (await ask(running.origin, {})).status === 401);
    const secrets = (text) => text?.replaceAll(/\{([^}]+)\}/g, (_, name) => tokens[name].secret);
    return {
      tokenwright,
      service,
      tokens,
      gateway: running,
      /// Sends a request through the gateway, with a token by its name.
      send: ({ path, token, ...more }) => ask(running.origin, {
        ...more, path: secrets(path), token: token && tokens[token].secret,
      }),
      /// Deletes a token.
      remove: (name) => change(tokenwright, DELETE, tokens[name]),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/// Waits until Tokenwright itself says that a token is not valid.
export async function ends(tokenwright, { secret }) {
  await until('it ends', async () => (await send(tokenwright, '{ __typename }', { token: secret })).status === 401);
}

/// Stops Tokenwright in its tracks: connections to it are made, and nothing answers.
export async function hang({ pid }) {
  process.kill(pid, 'SIGSTOP');
  await until('it stops', async () => /^\d+ \(.*\) T/.test(await readFile(`/proc/${pid}/stat`, 'utf8')));
}

async function create(server, name, more) {
  const { body } = await send(server, CREATE, { variables: { input: settings(name, more) } });
  assert.equal(body.errors, undefined);
  const { token: secret, apiToken: { id, userId } } = body.data.createApiToken;
  return { name, secret, id, userId, permissions: more.permissions };
}

async function change(server, mutation, { id }) {
  const { body } = await send(server, mutation, { variables: { id } });
  assert.equal(body.errors, undefined);
}
