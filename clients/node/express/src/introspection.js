// POST /oauth2/introspect (RFC 7662).

import * as http from 'node:http';
import * as https from 'node:https';
import { Principal } from './principal.js';
import { Refusal } from './refusal.js';

/// An answer is a few hundred bytes; with many permissions and labels, some thousands.
const MAX_BODY = 256 * 1024;

/// Milliseconds; shorter than the 5 seconds after which Tokenwright closes an idle connection.
const IDLE = 4000;

export class Introspection {
  #authorization;

  constructor({ url, token, timeout, tls }) {
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new TypeError('`token` must be the secret of this service\'s own token');
    }
    this.url = endpoint(url);
    this.#authorization = `Bearer ${token}`;
    this.timeout = timeout;
    this.http = this.url.protocol === 'https:' ? https : http;
    // An agent of its own: no proxy of the environment, and connections are kept.
    this.agent = new this.http.Agent({ keepAlive: true, timeout: IDLE, ...tls });
  }

  /// Throws a refusal, whatever goes wrong.
  async ask(secret, clientAddress) {
    const form = new URLSearchParams({ token: secret, ...(clientAddress && { client_address: clientAddress }) });
    const signal = AbortSignal.timeout(this.timeout);
    try {
      return this.#read(await this.#post(form.toString(), signal));
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal('unavailable', { cause: error });
    }
  }

  /// A kept connection may end at the moment at which it is used; the question does no harm when it is asked again.
  async #post(form, signal) {
    try {
      return await this.#postOnce(form, signal);
    } catch (error) {
      if (!error.reused || signal.aborted) throw error;
      return this.#postOnce(form, signal);
    }
  }

  #postOnce(form, signal) {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: this.#authorization,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(form),
      };
      // Redirects are not followed: they would hand secrets to somebody else.
      const request = this.http.request(this.url, { method: 'POST', agent: this.agent, headers, signal });
      const fail = (error) => reject(Object.assign(error, { reused: request.reusedSocket }));
      request.on('error', fail);
      request.on('response', (response) => {
        const chunks = [];
        let size = 0;
        response.on('error', fail);
        response.on('data', (chunk) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_BODY) request.destroy(new Error(`the answer is larger than ${MAX_BODY} bytes`));
        });
        response.on('end', () => {
          const { statusCode: status, headers: answered } = response;
          resolve({ status, headers: answered, body: Buffer.concat(chunks).toString() });
        });
      });
      request.end(form);
    });
  }

  #read({ status, headers, body }) {
    if (status === 429) {
      const seconds = /^\d{1,9}$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) : 1;
      throw new Refusal('too_many_failures', { retryAfter: seconds });
    }
    if (status === 401 || status === 403) {
      throw new Error(`Tokenwright refuses the token of this service (${status}); it needs api.api-tokens.read`);
    }
    if (status !== 200) throw new Error(`Tokenwright answered with status ${status}`);
    const answer = JSON.parse(body);
    // Everything that is not plainly active is not.
    if (answer?.active === false) throw new Refusal('invalid_token');
    if (answer?.active !== true) throw new Error('the body is not an answer of Tokenwright');
    return new Principal(answer);
  }
}

function endpoint(text) {
  const url = new URL(text);
  if (!['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    throw new TypeError('`url` must begin with http:// or https:// and hold no password');
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/oauth2/introspect`;
  url.search = '';
  url.hash = '';
  return url;
}
