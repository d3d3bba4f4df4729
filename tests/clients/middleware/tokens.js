// The tokens of the table.

import { setTimeout as pause } from 'node:timers/promises';

const FIELDS = 'token apiToken { id name version expiry partialToken user { id } }';
const CREATE = `mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { ${FIELDS} } }`;
const RENEW = `mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) { ${FIELDS} } }`;
const UPDATE = 'mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) { apiToken { version } } }';
const DELETE = 'mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }';
const STATUS = 'query ($id: ID!) { apiToken(id: $id) { status } }';

const asEnum = (code) => code.toUpperCase().replaceAll(/[.-]/g, '_');
const after = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

function described({ token, apiToken: { user, ...apiToken } }, settings) {
  return { ...settings, ...apiToken, secret: token, userId: user.id };
}

/// Makes a token. Labels are pairs there.
export async function makeToken(tokenwright, name, { then = [], permissions, labels, ...more }) {
  const expiry = after(then.includes('expire') ? 3 : 86_400);
  const pairs = labels && { labels: Object.entries(labels).map(([key, value]) => ({ key, value })) };
  const input = { name, expiry, permissions: permissions.map(asEnum), ...pairs, ...more };
  return described(await tokenwright.execute(CREATE, { input }), { permissions, labels: labels ?? {} });
}

/// Makes all tokens of a table, by their names, and what is not a secret but looks like one.
export async function makeTokens(tokenwright, table) {
  const tokens = {};
  for (const [name, settings] of Object.entries(table)) tokens[name] = await makeToken(tokenwright, name, settings);
  for (const [name, { then = [] }] of Object.entries(table)) {
    for (const action of then) await act(tokenwright, tokens, name, action);
  }
  const { secret } = tokens.reader;
  const last = secret.endsWith('0') ? '1' : '0';
  const looks = {
    unknown: `twr_${'0'.repeat(22)}_${'0'.repeat(49)}`,
    cut: secret.slice(0, -1),
    damaged: secret.slice(0, -1) + last,
    partial: tokens.reader.partialToken,
    long: secret.repeat(50),
  };
  for (const [name, text] of Object.entries(looks)) tokens[name] = { secret: text };
  return tokens;
}

/// Does to a token what the table says.
export async function act(tokenwright, tokens, name, action) {
  const { id } = tokens[name];
  const [verb, , object] = action.split(' ');
  const update = async (changes) => {
    const { apiToken } = await tokenwright.execute(UPDATE, { input: { id, version: tokens[name].version, ...changes } });
    Object.assign(tokens[name], apiToken);
  };
  if (verb === 'delete') return tokenwright.execute(DELETE, { id });
  if (verb === 'disable') return update({ enabled: false });
  if (verb === 'enable') return update({ enabled: true });
  if (verb === 'narrow') return update({ permissions: [asEnum(object)] });
  if (verb === 'renew') {
    const input = { id, name: object, expiry: after(86_400), overlapSeconds: 0 };
    const { permissions, labels } = tokens[name];
    tokens[object] = described(await tokenwright.execute(RENEW, { input }), { permissions, labels });
    return undefined;
  }
  if (verb === 'expire') {
    while ((await tokenwright.execute(STATUS, { id })).status !== 'EXPIRED') await pause(100);
    return undefined;
  }
  throw new Error(`the table has an unknown action: ${action}`);
}
