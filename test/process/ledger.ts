// What gateways that are killed act on: the program that their playbooks run, and the receiver of their pages. Both keep count.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { HeardWord } from './words.ts';

/** The program that playbooks run: one line for each time, with its key and when it began. */
export function ledgerIn(folder: string): { readonly script: string; readonly acts: () => readonly { key: string; at: number }[] } {
  const script = join(folder, 'act.sh');
  const ledger = join(folder, 'ledger');
  writeFileSync(script, `#!/bin/sh\nat=$(date +%s%3N)\nsleep 0.0$(( $$ % 9 ))\nprintf '%s %s\\n' "$QUENCH_KEY" "$at" >> "${ledger}"\n`);
  chmodSync(script, 0o755);
  return {
    script,
    acts() {
      const lines = existsSync(ledger) ? readFileSync(ledger, 'utf8').trim().split('\n') : [];
      return lines.map((line) => ({ key: line.slice(0, line.lastIndexOf(' ')), at: Number(line.slice(line.lastIndexOf(' ') + 1)) }));
    },
  };
}

/** Pages go to the sink, playbooks run the script, and nothing is watched for long. */
export const ledgerConfig = (
  sink: number,
  script: string,
): string => `api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
data: { dir: ./data }
endpoints: { prometheus: { source: prometheus, auth: { bearer: { file: ingest.token } }, alertsApi: true } }
notifiers: { sink: { type: webhook, url: "http://127.0.0.1:${sink}/page", secrets: [{ file: admin.whsec }] } }
ladders: { default: { rungs: [{ notify: sink, wait: 1m }], repeat: 0, ackTimeout: 0s } }
playbooks: { dir: ./playbooks }
actions: { shell: { allow: ["${script}"] } }
settle: 1s
holdOff: 30s
storm: { alerts: 100000, within: 1m }
delivery: { bundle: 2s }
`;

export interface Sink {
  readonly port: number;
  readonly delivered: ReadonlyMap<string, number>;
  /** What it took, message by message. */
  readonly heard: readonly HeardWord[];
  /** While it is down it answers 503 and takes nothing. */
  down: boolean;
  /** Told of each host that somebody was called for by rule `Page`, once. */
  onCalled: (host: string) => void;
  close(): void;
}

/** Ours, signed: the shape is known. */
interface Message {
  readonly data: {
    readonly id: string;
    readonly kind: string;
    readonly also?: readonly { readonly id: string }[];
    readonly facts?: readonly { readonly name: string; readonly value: string }[];
  };
}

/** Where pages go. */
export async function startSink(): Promise<Sink> {
  const delivered = new Map<string, number>();
  const heard: HeardWord[] = [];
  const hosts = new Set<string>();

  function take({ data }: Message, at: number): void {
    heard.push({ id: data.id, at });
    for (const { id } of [data, ...(data.also ?? [])]) delivered.set(id, (delivered.get(id) ?? 0) + 1);
    const fact = (name: string): string => data.facts?.find((one) => one.name === name)?.value ?? '';
    const host = fact('host');
    if (data.kind !== 'page' || fact('rule') !== 'Page' || host === '' || hosts.has(host)) return;
    hosts.add(host);
    sink.onCalled(host);
  }

  const server: Server = createServer((req, res) => {
    const at = Date.now();
    let body = '';
    req.on('data', (part: Buffer) => (body += part.toString()));
    req.on('end', () => {
      if (!sink.down) take(JSON.parse(body) as Message, at);
      res.writeHead(sink.down ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const sink: Sink = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    delivered,
    heard,
    down: false,
    onCalled: () => {},
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return sink;
}
