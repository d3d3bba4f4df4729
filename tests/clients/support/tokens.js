// Tokens to look at.

import assert from 'node:assert/strict';
import { CREATE } from './documents.js';
import { inDays, send } from './request.js';

/// A secret of the right form that no token has.
export const WRONG_TOKEN = `twr_${'0'.repeat(22)}_${'0'.repeat(49)}`;

/// What the server says of it.
export const invalidToken = { code: 'UNAUTHENTICATED', reason: 'invalid_token' };

/// Settings of a token that may list tokens, and whatever else is given.
export function settings(name, more) {
  return { name, expiry: inDays(30), permissions: ['API_API_TOKENS_READ'], ...more };
}

/// Settings with two faults, and what the server says of each.
export const faulty = settings('faulty', { permissions: [], allowedAddresses: ['10.0.0.1/8'] });
export const faults = [
  { code: 'BAD_USER_INPUT', field: 'permissions', reason: 'permissions_empty' },
  { code: 'BAD_USER_INPUT', field: 'allowedAddresses', index: 0, reason: 'address_host_bits' },
];

/// What the server says of a name that another token has.
export const nameTaken = { code: 'CONFLICT', field: 'name', reason: 'name_taken' };

/// Makes a token by each of the names.
export async function makeTokens(server, names) {
  for (const name of names) {
    const { body } = await send(server, CREATE, { variables: { input: settings(name) } });
    assert.equal(body.errors, undefined);
  }
}

/// Makes six more tokens: with the administrator's they fill three pages of three, the last of them
/// with one row. All names, in their order.
export async function fillPages(server) {
  const names = ['bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf'];
  await makeTokens(server, names);
  return ['administrator', ...names];
}
