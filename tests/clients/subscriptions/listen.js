// What listens: the document, and the events as they come.

import assert from 'node:assert/strict';
import { send } from '../support/request.js';

export const FOLLOW = `
  subscription Follow($after: String, $filter: ApiTokenEventFilter) {
    apiTokenEvents(after: $after, filter: $filter) { cursor node { action targetId } }
  }`;

/// The cursor of the newest event.
export async function newest(server) {
  const { body } = await send(server, '{ auditEvents(first: 1) { pageInfo { startCursor } } }');
  return body.data.auditEvents.pageInfo.startCursor;
}

/// Waits until as many events came as are expected, and compares the tokens that they are about.
export class Heard {
  events = [];
  #waiting = [];

  take(event) {
    this.events.push(event);
    for (const waiting of this.#waiting) waiting();
  }

  async targets(expected) {
    while (this.events.length < expected.length) {
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
    assert.deepEqual(this.events.map((event) => event.node.targetId), expected);
  }
}

/// Makes a token: its id and secret.
export async function make(server, input) {
  const create = `mutation ($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id } }
  }`;
  const { body } = await send(server, create, { variables: { input } });
  assert.equal(body.errors, undefined);
  const { token, apiToken } = body.data.createApiToken;
  return { token, id: apiToken.id };
}

/// Deletes a token.
export async function remove(server, id) {
  const { body } = await send(server, 'mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }', {
    variables: { id },
  });
  assert.equal(body.errors, undefined);
}
