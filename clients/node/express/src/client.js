// The core: asks Tokenwright about tokens, for any framework.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { Cache } from './cache.js';
import { bearer } from './credentials.js';
import { Flights } from './flights.js';
import { Introspection } from './introspection.js';
import { Refusal } from './refusal.js';

export { Principal } from './principal.js';
export { Refusal };

export const MAX_CACHE_SECONDS = 10;

export class Tokenwright {
  #introspection;
  #flights = new Flights();
  #cache;
  #timeout;

  constructor({ url, token, timeoutSeconds = 2, cacheSeconds = 0, tls }) {
    if (!(timeoutSeconds > 0 && timeoutSeconds <= 60)) throw new RangeError('`timeoutSeconds` must be 60 at most');
    if (!(cacheSeconds >= 0 && cacheSeconds <= MAX_CACHE_SECONDS)) {
      throw new RangeError(`\`cacheSeconds\` must be ${MAX_CACHE_SECONDS} at most`);
    }
    this.#timeout = timeoutSeconds * 1000;
    this.#introspection = new Introspection({ url, token, timeout: this.#timeout, tls });
    this.#cache = cacheSeconds > 0 ? new Cache(cacheSeconds) : undefined;
  }

  async authenticate(authorization, clientAddress) {
    const secret = bearer(authorization);
    const address = canonical(clientAddress);
    const key = `${createHash('sha256').update(secret).digest('base64')} ${address ?? ''}`;
    const remembered = this.#cache?.get(key);
    if (remembered) return remembered;
    const asked = performance.now();
    const answer = this.#flights.join(key, () => this.#introspection.ask(secret, address));
    const principal = await this.#inTime(answer);
    this.#cache?.put(key, asked, principal);
    return principal;
  }

  close() {
    this.#introspection.agent.destroy();
  }

  /// Who waits for a question of others before its own does not wait longer.
  async #inTime(answer) {
    let timer;
    const late = new Promise((_, reject) => {
      const error = new Error('Tokenwright did not answer in time');
      timer = setTimeout(() => reject(new Refusal('unavailable', { cause: error })), this.#timeout);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/// As Tokenwright compares it; `undefined` if it is not an address.
function canonical(address) {
  if (typeof address !== 'string') return undefined;
  const [plain] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  return isIP(mapped) ? mapped : undefined;
}
