// Counts what goes over the wire.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/// A relay to a server: `origin` is its own, `received` counts the bytes that came through it from the server.
export async function relay(server) {
  const { hostname, port } = new URL(server.origin);
  const counted = { received: 0 };
  const sockets = new Set();
  const listener = createServer((client) => {
    const upstream = connect(port, hostname);
    upstream.on('data', (bytes) => { counted.received += bytes.length; });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => { client.destroy(); upstream.destroy(); });
    }
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  counted.origin = `http://127.0.0.1:${listener.address().port}`;
  counted.stop = () => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  return counted;
}
