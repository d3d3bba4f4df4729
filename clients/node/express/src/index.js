// The middleware for Express.

import { Refusal, Tokenwright } from './client.js';

export { MAX_CACHE_SECONDS, Principal, Refusal, Tokenwright } from './client.js';

export function tokenwright({ onError = log, ...settings }) {
  const client = new Tokenwright(settings);
  /// What was answered about a request: asked once, however many middlewares ask.
  const answers = new WeakMap();

  function authenticate(request) {
    let answer = answers.get(request);
    if (!answer) {
      // All lines of the header; of `headers`, Node keeps only the first.
      answer = client.authenticate(request.headersDistinct.authorization ?? [], request.ip);
      answers.set(request, answer);
    }
    return answer;
  }

  function requireToken({ permissions = [] } = {}) {
    if (!Array.isArray(permissions) || !permissions.every((code) => typeof code === 'string' && code !== '')) {
      throw new TypeError('`permissions` must be an array of codes such as `shop.orders.read`');
    }
    const needed = [...permissions];
    return async (request, response, next) => {
      try {
        const principal = await authenticate(request);
        principal.require(...needed);
        request.tokenwright = principal;
      } catch (error) {
        // Whatever it is, nobody passes.
        const refusal = error instanceof Refusal ? error : new Refusal('unavailable', { cause: error });
        if (refusal.cause) onError(refusal.cause);
        response.status(refusal.status).set(refusal.headers).json(refusal.body);
        return;
      }
      next();
    };
  }

  return { requireToken, close: () => client.close() };
}

function log(error) {
  console.error('Tokenwright gave no answer:', error);
}
