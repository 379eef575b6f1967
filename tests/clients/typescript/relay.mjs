// Neon's driver speaks PostgreSQL's protocol in the messages of a WebSocket. This passes them on to a server.

import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocketServer } from 'ws';

export async function relay(host, port) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    const upstream = connect(port, host);
    socket.on('message', (bytes) => upstream.write(bytes));
    socket.on('close', () => upstream.destroy());
    upstream.on('data', (bytes) => socket.send(bytes));
    upstream.on('close', () => socket.close());
    upstream.on('error', () => socket.close());
  });
  return { address: `127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
