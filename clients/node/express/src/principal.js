import { Refusal } from './refusal.js';

export class Principal {
  constructor({ sub, username = '', client_id: tokenId, scope = '', labels = {}, exp }) {
    if (![sub, username, tokenId, scope].every((value) => typeof value === 'string') || !Number.isInteger(exp)) {
      throw new Error('the body is not an answer of Tokenwright');
    }
    this.userId = sub;
    this.userName = username;
    this.tokenId = tokenId;
    this.permissions = Object.freeze(scope.split(' ').filter(Boolean));
    this.labels = Object.freeze({ ...labels });
    this.expiry = new Date(exp * 1000);
    Object.freeze(this);
  }

  has(...permissions) {
    return permissions.every((permission) => this.permissions.includes(permission));
  }

  require(...permissions) {
    if (!this.has(...permissions)) throw new Refusal('insufficient_scope', { scope: permissions.join(' ') });
  }
}
