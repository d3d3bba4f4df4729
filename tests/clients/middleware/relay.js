// Stands between an application and Tokenwright, and hands on bytes, or others in place of answers.

import { connect, createServer } from 'node:net';

export async function startRelay(origin) {
  const { hostname, port } = new URL(origin);
  const sockets = new Set();
  const relay = { connections: 0, breaks: 0, held: undefined, change: (text) => text };
  const server = createServer((socket) => {
    relay.connections += 1;
    let isKept = false;
    const upstream = connect(Number(port), hostname);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        sockets.delete(end);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.on('data', (bytes) => {
      // What happens when a server closes an idle connection at the moment at which it is used.
      if (relay.breaks > 0 && isKept) {
        relay.breaks -= 1;
        socket.destroy();
        return;
      }
      upstream.write(bytes);
    });
    upstream.on('data', async (bytes) => {
      isKept = true;
      await relay.held;
      // As many bytes as came: what is changed is also in the length that was announced.
      socket.write(Buffer.from(relay.change(bytes.toString('latin1')), 'latin1'));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  relay.origin = `http://127.0.0.1:${server.address().port}`;
  relay.stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  /// Keeps back what Tokenwright answers until the function that it gives is called.
  relay.hold = () => {
    let release;
    relay.held = new Promise((resolve) => { release = resolve; });
    return () => {
      relay.held = undefined;
      release();
    };
  };
  return relay;
}
