// The demo's service, something real to kill and to bring back: answers /healthz with its pid.
//   node demo/service.ts [port]
import { createServer } from 'node:http';

const port = Number(process.argv[2] ?? 18_080);

const server = createServer((request, response) => {
  const found = request.url === '/healthz';
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(found ? { service: 'checkout', status: 'ok', pid: process.pid } : { error: 'only /healthz is here' })}\n`);
});
server.on('error', (error) => {
  console.error(`checkout: ${error.message}`);
  process.exit(1);
});
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => process.exit(0));
server.listen(port, '127.0.0.1');
