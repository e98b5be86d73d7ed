// Connections for load that is offered by the clock: one request at a time on each, written and read by hand.
import { connect, type Socket } from 'node:net';

/** One connection that is kept; one request at a time. */
export interface Line {
  post(request: string, answered: (status: number) => void): void;
  close(): void;
}

/** A client of its own: node:http's would take more of the two cores than the servers that are measured. */
export function openLine(url: string): Promise<Line> {
  const { hostname, port } = new URL(url);
  let text = '';
  let answered: ((status: number) => void) | null = null;
  const end = (status: number): void => {
    const told = answered;
    answered = null;
    text = '';
    told?.(status);
  };
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.setEncoding('latin1');
  socket.on('data', (part: string) => {
    text += part;
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
    if (text.length >= headEnd + 4 + length) end(Number(text.slice(9, 12)));
  });
  socket.on('error', () => end(0));
  const line: Line = {
    post(request, told) {
      answered = told;
      socket.write(request);
    },
    close: () => void socket.destroy(),
  };
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(line));
    socket.once('error', reject);
  });
}
