// A client on another address of this machine, which says what it likes.

import { request } from 'node:http';

/// How long a gateway may take at most, on a machine that does much else.
const LIMIT = 20_000;

/// Where clients are unless a case says otherwise; bound tokens may be used from there.
export const HOME = '127.0.0.2';
/// Where bound tokens may not be used.
export const ELSEWHERE = '127.0.0.3';

/// Sends one request on a connection of its own. `headers` is a list of pairs, so that names may come
/// again and again; the path is sent as it is.
export function ask(origin, { path = '/engagements/1', from = HOME, method = 'GET', token, headers = [], body }) {
  const { hostname, port, host } = new URL(origin);
  const all = [['Host', host], ['Connection', 'close'], ...headers];
  if (token) all.push(['Authorization', `Bearer ${token}`]);
  if (body) all.push(['Content-Length', String(Buffer.byteLength(body))]);
  const options = {
    hostname, port, path, method, headers: all.flat(), localAddress: from, agent: false,
    signal: AbortSignal.timeout(LIMIT),
  };
  return new Promise((resolve, reject) => {
    const asking = request(options, async (response) => {
      try {
        const chunks = await response.toArray();
        resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() });
      } catch (error) {
        reject(error);
      }
    });
    asking.on('error', reject);
    asking.end(body);
  });
}
