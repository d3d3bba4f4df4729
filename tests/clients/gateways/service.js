// The service behind a gateway. It remembers what reaches it.

import { once } from 'node:events';
import { createServer } from 'node:http';

/// A service on a free port: `seen` has every request that reached it.
export async function startService() {
  const seen = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { method, url, rawHeaders } = request;
    const headers = rawHeaders.filter((_, place) => place % 2 === 0)
      .map((name, place) => [name.toLowerCase(), rawHeaders[2 * place + 1]]);
    seen.push({ method, url, headers, body });
    response.end('the service');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { port: server.address().port, seen, stop };
}

/// The values of a header of a request that reached the service.
export const values = ({ headers }, name) => headers.filter(([key]) => key === name).map(([, value]) => value);
