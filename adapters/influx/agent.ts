// Connections to InfluxDB, bounded. The client library collects an answer as one text for as long as the server writes: one without an end
// would fill the memory, and beyond the longest text of V8 it throws where nobody can catch it, which ends the gateway.
//   A1  An answer of more than `answerBytesMax` ends its connection while it comes, and whoever waits for it is told.
import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/** More than the longest answer to a question of ours: 20,001 points with all their words, or 200,000 values. */
export const answerBytesMax = 64 * 1_024 * 1_024;
const socketsMax = 4;

/** `tooLong` is called when an answer was cut off because of its length. */
export function boundedAgent(isTls: boolean, ca: string | null, tooLong: () => void): HttpAgent {
  const options: AgentOptions = { keepAlive: true, maxSockets: socketsMax };
  const agent = isTls ? new HttpsAgent({ ...options, ...(ca === null ? {} : { ca }) }) : new HttpAgent(options);
  const heard = new WeakMap<Duplex, number>();
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = connect(...args);
    socket?.on('data', (bytes: Buffer) => {
      const all = (heard.get(socket) ?? 0) + bytes.length;
      heard.set(socket, all);
      if (all <= answerBytesMax || socket.destroyed) return;
      socket.destroy();
      tooLong();
    });
    return socket;
  };
  // Its answer is whole: what comes next is another one.
  agent.on('free', (socket: Duplex) => void heard.delete(socket));
  return agent;
}
