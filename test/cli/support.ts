// The command line as a function, with a terminal that keeps what it is told; and a real gateway for it to speak to.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import assert from 'node:assert/strict';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { run } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import type { LoadConfig } from '../../src/gateway/reload.ts';
import { startGateway, type Gateway } from '../../src/gateway/compose.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import { parts } from '../../src/offline/parts.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { passingClock } from '../support/passing-clock.ts';

/** What a terminal obeys; line feeds and tabs aside. */
// eslint-disable-next-line no-control-regex
export const acting = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  readonly env?: Terminal['env'];
  readonly stdin?: string;
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Called with everything on stdout so far, whenever there is more. */
  readonly heard?: (out: string) => void;
}

export async function quench(argv: readonly string[], around: Around = {}): Promise<Said> {
  const { env = {}, stdin = '', tty = false, signal = new AbortController().signal } = around;
  let out = '';
  let err = '';
  const terminal: Terminal = {
    env,
    stdin: Object.assign(stdin === '' && tty ? new PassThrough() : Readable.from(stdin === '' ? [] : [stdin]), { isTTY: tty }),
    stdout: Object.assign(
      sink((text) => {
        out += text;
        around.heard?.(out);
      }),
      { isTTY: tty, columns: 100 },
    ),
    stderr: sink((text) => (err += text)),
    clock: around.clock ?? systemClock,
    signal,
  };
  const exit = await run(argv, terminal, parts);
  return { exit, out, err };
}

function sink(hear: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      hear(chunk.toString());
      done();
    },
  });
}

export function scratch(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'quench-cli-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Writes files below a directory. */
export function write(dir: string, files: { readonly [name: string]: string }): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

/** One playbook that asks, one that acts; what they act with is `true` and `false`. */
export function houseFiles(): { readonly [name: string]: string } {
  const playbook = (name: string, alert: string, mode: string, program: string): string => `apiVersion: playbook/v1
name: ${name}
version: 1.0.0
summary: Runs ${program}.
owner: team/test
mode: ${mode}
on: [{ alert: alert.name == "${alert}" }]
params: { host: { type: string, from: alert.host, pattern: "[a-z0-9]+" } }
target: { resource: "host/\${params.host}" }
guards: { concurrency: 20 }
steps: [{ id: act, uses: shell/run, with: { argv: ["${program}"] } }]
verify: { within: 30s, every: 5s, all: [{ uses: shell/check, with: { argv: ["true"] }, expect: result.ok }] }
escalate: { say: "It did not help." }
`;
  return {
    'quench.yaml': `listen: { host: 127.0.0.1, port: 0 }
api:
  tokens:
    admin: { role: admin, secret: { file: data/admin.token } }
    rita: { role: read, secret: { file: data/rita.token } }
endpoints: { hook: { source: prometheus, auth: { bearer: { file: data/ingest.token } }, alertsApi: true } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
actions: { shell: { allow: [/usr/bin/true, /usr/bin/false], path: [/usr/bin] } }
settle: 0s
holdOff: 10s
`,
    'playbooks/ask.yaml': playbook('ask', 'Stuck', 'approve', 'true'),
    'playbooks/fail.yaml': playbook('fail', 'Hopeless', 'approve', 'false'),
    'data/admin.token': 'token-of-admin\n',
    'data/rita.token': 'token-of-rita\n',
    'data/ingest.token': 'token-of-senders\n',
  };
}

export interface House {
  readonly dir: string;
  readonly url: string;
  /** A command against this gateway, with the tokens beside its configuration. */
  readonly ask: (argv: readonly string[], around?: Around) => Promise<Said>;
  stop(): Promise<void>;
}

export async function openHouse(): Promise<House> {
  const { dir, remove } = scratch();
  write(dir, houseFiles());
  const load: LoadConfig = () => loadConfig(join(dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock));
  const loaded = load();
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const quiet = (): void => {};
  const { clock, hurry } = passingClock();
  const gateway: Gateway = await startGateway(loaded.value, {
    load,
    clock,
    logger: { info: quiet, warn: quiet, error: quiet },
    stream: new PassThrough().resume(),
    executorEnv: { PATH: '/usr/bin:/bin' },
    version: '0.0.0-test',
  });
  const url = `http://127.0.0.1:${gateway.port}`;
  const told = ['--url', url, '--config', join(dir, 'quench.yaml')];
  return {
    dir,
    url,
    ask: (argv, around) => quench([...argv, ...told], around),
    async stop() {
      hurry();
      await gateway.stop();
      remove();
    },
  };
}

/** Asks until the answer is as it should be: views follow facts by a moment. */
export async function eventually(ask: () => Promise<Said>, holds: (said: Said) => boolean, withinMs = 4_000): Promise<Said> {
  const endsAt = performance.now() + withinMs;
  for (;;) {
    const said = await ask();
    if (holds(said)) return said;
    assert.ok(performance.now() < endsAt, `not within ${withinMs} ms, last: ${JSON.stringify(said)}`);
    await sleep(30);
  }
}
