// An API of orders, protected by Tokenwright. ../README.md says how to run it.

import express from 'express';
import { tokenwright } from 'tokenwright-express';

const { TOKENWRIGHT_URL, TOKENWRIGHT_TOKEN, TRUSTED_PROXIES, CACHE_SECONDS, LISTEN = '127.0.0.1:3000' } = process.env;

const { requireToken } = tokenwright({
  url: TOKENWRIGHT_URL,
  token: TOKENWRIGHT_TOKEN,
  cacheSeconds: CACHE_SECONDS ? Number(CACHE_SECONDS) : undefined,
});

const app = express();
// Express's own setting: whose `X-Forwarded-For` is believed.
app.set('trust proxy', TRUSTED_PROXIES ? TRUSTED_PROXIES.split(',') : false);

function described({ tokenwright: { userId, userName, tokenId, permissions, labels } }) {
  return { userId, userName, tokenId, permissions, labels };
}

app.get('/', (request, response) => {
  response.type('text').send('Everybody may read this.\n');
});

// Any valid token.
app.get('/caller', requireToken(), (request, response) => {
  response.json(described(request));
});

app.get('/orders', requireToken({ permissions: ['shop.orders.read'] }), (request, response) => {
  response.json(described(request));
});

app.post('/orders', requireToken({ permissions: ['shop.orders.write'] }), (request, response) => {
  response.status(201).json(described(request));
});

// Several permissions. However many middlewares ask about a request, Tokenwright is asked once.
const both = requireToken({ permissions: ['shop.orders.read', 'shop.orders.export'] });
app.get('/orders/export', requireToken(), both, (request, response) => {
  response.json(described(request));
});

const [, host, port] = /^(.*):(\d+)$/.exec(LISTEN);
const server = app.listen(Number(port), host, () => {
  console.log(`listening on http://${host}:${server.address().port}`);
});
