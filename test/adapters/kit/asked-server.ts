// An HTTP server in this process that speaks for a monitoring system which is asked what is open.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createHttp } from '../../../adapters/kit/http-client.ts';
import type { AskDeps } from '../../../adapters/kit/kinds.ts';
import { systemClock } from '../../../src/gateway/clock.ts';

export interface AskedServer {
  readonly url: string;
  readonly deps: AskDeps;
  close(): Promise<void>;
}

/** `answer`: the JSON of a request, or a number: an answer with that status. */
export async function openAsked(answer: (request: IncomingMessage, body: string) => unknown): Promise<AskedServer> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      const said = answer(request, body);
      response.writeHead(typeof said === 'number' ? said : 200, { 'content-type': 'application/json' });
      response.end(typeof said === 'string' ? said : JSON.stringify(said));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const http = createHttp({ clock: systemClock, policy: { allowPrivate: true, allow: [] } });
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    deps: { http, clock: systemClock },
    async close() {
      http.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
