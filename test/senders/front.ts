// A small HTTP front between Prometheus and the gateway: passes everything through, keeps what it saw, and answers 503 itself
// for the paths a test closes. It changes no byte in either direction.
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from './support.ts';

export interface Passage {
  readonly path: string;
  readonly body: string;
  /** What the sender got; 0 when the gateway could not be reached, so the connection was reset. */
  status: number;
}

export interface Front {
  readonly address: string;
  readonly passages: Passage[];
  /** Paths that are answered with 503. */
  readonly closed: Set<string>;
  close(): Promise<void>;
}

export async function openFront(gatewayPort: number): Promise<Front> {
  const port = await freePort();
  const passages: Passage[] = [];
  const closed = new Set<string>();
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => pass(req, res, Buffer.concat(chunks)));
  });

  function pass(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
    const path = req.url ?? '';
    const passage: Passage = { path, body: body.toString('utf8'), status: 503 };
    passages.push(passage);
    if (closed.has(path)) {
      res.writeHead(503, { 'content-length': 0 }).end();
      return;
    }
    passage.status = 0;
    const onward = request({ host: '127.0.0.1', port: gatewayPort, path, method: req.method, headers: req.headers, agent: false });
    onward.on('error', () => res.destroy());
    onward.on('response', (answer) => {
      passage.status = answer.statusCode ?? 0;
      res.writeHead(passage.status, answer.headers);
      answer.pipe(res);
    });
    onward.end(body);
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
  return { address: `127.0.0.1:${port}`, passages, closed, close };
}
