// The script that operators paste into Nagios, run for real: sh, curl, awk and openssl against a server on this machine.
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nagios } from '../../../adapters/nagios/source.ts';

const setup = fileURLToPath(new URL('../../../adapters/nagios/setup', import.meta.url));
const script = join(setup, 'notify-quench.sh');
const token = 'token-that-nobody-may-see';
const keyBytes = Buffer.alloc(32, 0xe9);
const secret = keyBytes.toString('base64');

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly processes: string;
}

/** A gateway that gives the planned answers, one per request, and 202 from then on. */
interface Gateway {
  readonly port: number;
  readonly requests: Request[];
  readonly plan: ((response: ServerResponse) => void)[];
  close(): Promise<void>;
}

async function openGateway(port = 0): Promise<Gateway> {
  const requests: Request[] = [];
  const plan: ((response: ServerResponse) => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks), processes: commandLines() });
      const answer = plan.shift() ?? ((to: ServerResponse) => to.writeHead(202).end('{}'));
      answer(response);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { port: (server.address() as AddressInfo).port, requests, plan, close };
}

/** Every command line of the machine, as any user may read it. */
function commandLines(): string {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map((pid) => quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '))).join('\n');
}

function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

const answer =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end('{}');
  };

describe('notify-quench.sh', () => {
  let home = '';
  let gateway: Gateway;
  let running: ChildProcess | undefined;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'notify-quench-'));
    writeFileSync(join(home, 'token'), `${token}\n`);
    writeFileSync(join(home, 'secret'), `whsec_${secret}\n`);
    gateway = await openGateway();
    configure();
  });

  afterEach(async () => {
    if (running?.pid !== undefined && running.exitCode === null && running.signalCode === null) process.kill(-running.pid, 'SIGKILL');
    await gateway.close();
    rmSync(home, { recursive: true, force: true });
  });

  function configure(settings = ''): void {
    const url = `url=http://127.0.0.1:${gateway.port}/webhooks/nagios`;
    writeFileSync(
      join(home, 'conf'),
      `${url}\ntoken_file=${home}/token\nspool=${home}/spool\ninstance=mon-1\nretry_waits='0 0 0'\n${settings}\n`,
    );
  }

  function start(command: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const path = env['PATH'] ?? process.env['PATH'] ?? '';
    running = spawn(command, args, { env: { ...env, PATH: path, QUENCH_CONF: join(home, 'conf') }, stdio: 'ignore', detached: true });
    return running;
  }

  async function run(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
    const [code] = await once(start('sh', [script, ...args], env), 'exit');
    return code;
  }

  const spooled = (folder: string): readonly string[] => readdirSync(join(home, 'spool', folder)).sort();
  const fieldsOf = (at: number): Record<string, string> => JSON.parse(gateway.requests[at]?.body.toString('utf8') ?? 'null');

  test('no output of a check can break the JSON or change on the way', async () => {
    const hostile: Record<string, string> = {
      quotes: `"' \\" \\' ","state":"OK`,
      backslash: 'C:\\',
      newlines: 'line one\\nline two\\\\n\nreal one\r\n\ttab',
      commands: '$(reboot) `reboot` ${IFS} ; rm -rf / | & > < ~ !',
      macros: '$SERVICESTATE$ %s %d %n \\045 \\u0041 \\x41 &amp;',
      controls: '\u0001\u001b[31m\u001f\u007f',
      unicode: 'žluťoučký kůň 🔥 \u2028',
      equals: '=a=b=@/etc/passwd',
      dashes: '-f -v x=1 -- --config',
      long: `${'x'.repeat(30_000)}"\\${'é'.repeat(17_500)}`,
    };

    const code = await run(Object.entries(hostile).map(([name, value]) => `${name}=${value}`));

    assert.equal(code, 0);
    const { instance, sent_at, ...values } = fieldsOf(0);
    assert.deepEqual(values, hostile);
    assert.equal(instance, 'mon-1');
    assert.match(sent_at ?? '', /^\d{10}$/);
  });

  test('64 KB of quotes and backslashes arrive whole', async () => {
    const output = '"\\'.repeat(32_768);
    assert.equal(await run([`output=${output}`]), 0);
    assert.equal(fieldsOf(0)['output'], output);
  });

  test('bytes that are not UTF-8 pass as they are, and the body is still JSON', async () => {
    const child = start('sh', ['-c', 'exec sh "$0" "$(printf "output=caf\\351 \\377\\300\\"")" host=web-1', script]);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.ok(gateway.requests[0]?.body.includes(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0xff, 0xc0, 0x5c, 0x22])));
    assert.equal(fieldsOf(0)['output'], 'caf\ufffd \ufffd\ufffd"');
  });

  test('without arguments the environment is sent, quotes and all', async () => {
    const code = await run([], {
      NAGIOS_NOTIFICATIONTYPE: 'CUSTOM',
      NAGIOS_HOSTNAME: 'web-1',
      NAGIOS_SERVICEDESC: 'HTTP',
      NAGIOS_SERVICESTATE: 'CRITICAL',
      NAGIOS_HOSTSTATE: 'UP',
      NAGIOS_NOTIFICATIONCOMMENT: `it's "here"`,
      NAGIOS_HOSTALIAS: "the web's host; reboot",
    });
    assert.equal(code, 0);
    const parsed = nagios({}).parse({ headers: {}, path: '', receivedAt: 1, body: gateway.requests[0]?.body.toString() ?? '' });
    const event = parsed.ok ? parsed.value.events[0] : undefined;
    assert.deepEqual([event?.claim, event?.severity, event?.note], ['noted', 'critical', `custom notification: it's "here"`]);
    assert.equal(event?.annotations['alias'], "the web's host; reboot");
  });

  test('the pasted service command delivers an event, even when a shell reads it', async () => {
    const macros: Record<string, string> = {
      NOTIFICATIONTYPE: 'PROBLEM',
      HOSTNAME: 'web-1',
      HOSTADDRESS: '192.0.2.11',
      SERVICEDESC: 'HTTP',
      SERVICESTATE: 'CRITICAL',
      SERVICESTATETYPE: 'HARD',
      SERVICEPROBLEMID: '42',
      SERVICEDOWNTIME: '0',
      LASTSERVICECHECK: '1795226867',
      SERVICEOUTPUT: 'down \\',
      LONGSERVICEOUTPUT: 'one\\ntwo \\\\',
    };
    const line = commandLine('notify-service-quench')
      .replace(/^\S+/, `sh ${script}`)
      .replace(/\$(\w+)\$/g, (_, name: string) => macros[name] ?? '');
    const child = start('sh', ['-c', line]);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    const parsed = nagios({}).parse({ headers: {}, path: '', receivedAt: 1, body: gateway.requests[0]?.body.toString() ?? '' });
    assert.ok(parsed.ok);
    const [event] = parsed.value.events;
    assert.deepEqual(
      [event?.claim, event?.severity, event?.episode, event?.entity.ip, event?.observedAt, event?.annotations['long_output']],
      ['firing', 'critical', '42@mon-1', '192.0.2.11', 1_795_226_867_000, 'one\ntwo \\'],
    );
  });

  test('a 503 is tried again under the same id, and the wait it asked for is kept', async () => {
    gateway.plan.push(answer(503, { 'Retry-After': '1' }));
    const startedAt = performance.now();
    assert.equal(await run(['host=web-1']), 0);
    assert.ok(performance.now() - startedAt >= 950);
    assert.equal(gateway.requests.length, 2);
    assert.equal(gateway.requests[0]?.headers['webhook-id'], gateway.requests[1]?.headers['webhook-id']);
    assert.deepEqual(gateway.requests[0]?.body, gateway.requests[1]?.body);
  });

  test('S4: with nobody listening messages wait in the spool, and the next success about the same thing lets them go first', async () => {
    await gateway.close();
    assert.equal(await run(['host=web-1', 'output=first']), 1);
    assert.equal(await run(['host=web-1', 'output=second']), 1);
    assert.equal(spooled('waiting').length, 2);
    gateway = await openGateway(gateway.port);

    assert.equal(await run(['host=web-1', 'output=third']), 0);

    assert.deepEqual(
      gateway.requests.map((_, at) => fieldsOf(at)['output']),
      ['first', 'second', 'third'],
    );
    assert.deepEqual([...spooled('waiting'), ...spooled('sending')], []);
  });

  test('a run killed in the middle leaves its message, and a later run sends it', async () => {
    gateway.plan.push(() => {});
    const child = start('sh', [script, 'host=web-1', 'output=killed']);
    while (gateway.requests.length === 0) await new Promise((done) => setTimeout(done, 20));
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await once(child, 'exit');
    const [left = ''] = spooled('sending');
    const longAgo = new Date(Date.now() - 180_000);
    utimesSync(join(home, 'spool', 'sending', left), longAgo, longAgo);

    assert.equal(await run(['host=web-1', 'output=later']), 0);

    assert.deepEqual([fieldsOf(1)['output'], fieldsOf(2)['output']], ['killed', 'later']);
    assert.deepEqual([...spooled('waiting'), ...spooled('sending')], []);
  });

  test('a redirect is not followed and a wrong token is not hammered: both wait', async () => {
    gateway.plan.push(answer(302, { Location: '/elsewhere' }), answer(401));
    assert.equal(await run(['host=web-1', 'output=moved']), 1);
    assert.equal(await run(['host=web-2', 'output=locked']), 1);
    assert.equal(gateway.requests.length, 2);
    assert.equal(spooled('waiting').length, 2);
  });

  test('S4: a recovery waits while its problem is still on the way, and other hosts do not wait for it', async () => {
    configure("retry_waits='1 1 1 1 1 1'\ntry_s=15");
    const answered: string[] = [];
    const held = Promise.withResolvers<ServerResponse>();
    const noted =
      (name: string) =>
      (response: ServerResponse): void => {
        answered.push(name);
        response.writeHead(202).end();
      };
    gateway.plan.push(held.resolve, noted('other'), noted('recovery'));
    const problem = once(start('sh', [script, 'host=web-1', 'service=HTTP', 'state=CRITICAL']), 'exit');
    while (gateway.requests.length === 0) await new Promise((done) => setTimeout(done, 20));

    const recovery = once(start('sh', [script, 'host=web-1', 'service=HTTP', 'state=OK']), 'exit');
    const other = once(start('sh', [script, 'host=web-2', 'service=HTTP', 'state=OK']), 'exit');

    await other;
    noted('problem')(await held.promise);

    for (const [code] of await Promise.all([problem, recovery, other])) assert.equal(code, 0);
    assert.deepEqual(answered, ['other', 'problem', 'recovery']);
    assert.deepEqual([...spooled('waiting'), ...spooled('sending')], []);
  });

  test('S4: what waits behind a wrong token does not hammer it either', async () => {
    gateway.plan.push(answer(401), answer(401));
    assert.equal(await run(['host=web-1', 'output=first']), 1);
    assert.equal(await run(['host=web-1', 'output=second']), 1);
    assert.equal(gateway.requests.length, 2);
    assert.deepEqual([fieldsOf(0)['output'], fieldsOf(1)['output']], ['first', 'first']);
    assert.equal(spooled('waiting').length, 2);
  });

  test('what was not taken says what to look at: the token, the address', async () => {
    const said = async (): Promise<string> => {
      running = spawn('sh', [script, 'host=web-1'], {
        env: { PATH: process.env['PATH'] ?? '', QUENCH_CONF: join(home, 'conf') },
        detached: true,
      });
      let text = '';
      running.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await once(running, 'close');
      return text;
    };
    gateway.plan.push(answer(401));
    assert.match(await said(), /not taken \(status 401: is the token of the endpoint in \S+\/token\?\): kept in /);
    configure(`token_file=\nspool=${home}/other`);
    gateway.plan.push(answer(401));
    assert.match(await said(), /in token_file, which \S+\/conf does not set\?\)/);
    configure(`spool=${home}/third\nurl=http://127.0.0.1:1/`);
    assert.match(await said(), /not taken \(nobody answers at http:\/\/127\.0\.0\.1:1\/\): kept in /);
  });

  test('what the gateway will never take is put aside, not sent for ever', async () => {
    gateway.plan.push(answer(400));
    assert.equal(await run(['output=bad']), 2);
    assert.equal(gateway.requests.length, 1);
    assert.deepEqual([spooled('refused').length, spooled('waiting').length], [1, 0]);
  });

  test('the spool is bounded: the oldest goes', async () => {
    configure('spool_files_max=2\nurl=http://127.0.0.1:1/');
    mkdirSync(join(home, 'spool', 'waiting'), { recursive: true });
    writeFileSync(join(home, 'spool', 'waiting', '1000000000-0.json'), '{}');

    for (const output of ['two', 'three']) assert.equal(await run([`output=${output}`]), 1);

    assert.ok(!spooled('waiting').includes('1000000000-0.json'));
    assert.equal(spooled('waiting').length, 2);
  });

  test('neither token nor key is on a command line, of curl, openssl or any other', async () => {
    configure(`secret_file=${home}/secret`);
    const seen = shims(['curl', 'openssl', 'awk', 'sed', 'od', 'tr', 'sleep', 'logger', 'basename', 'cat']);
    gateway.plan.push(answer(503));
    assert.equal(await run(['host=web-1'], { PATH: seen.path }), 0);
    const lines = readFileSync(seen.log, 'latin1') + gateway.requests.map((request) => request.processes).join('\n');
    assert.match(lines, /curl .*--config -/, 'the shims saw curl');
    assert.match(lines, /openssl dgst/, 'the shims saw openssl');
    for (const hidden of [token, secret, keyBytes.toString('hex'), keyBytes.toString('latin1')]) assert.ok(!lines.includes(hidden));
    assert.equal(gateway.requests[0]?.headers.authorization, `Bearer ${token}`);
  });

  test('the signature is that of Standard Webhooks over the exact body, for any key length', async () => {
    for (const size of [24, 32, 64]) {
      const key = Buffer.from(Array.from({ length: size }, (_, at) => (at * 37 + size) % 256));
      writeFileSync(join(home, 'secret'), `whsec_${key.toString('base64')}\n`);
      configure(`secret_file=${home}/secret`);
      assert.equal(await run(['host=web-1', 'output=žluť " \\']), 0);
      const { headers, body } = gateway.requests.at(-1) ?? assert.fail('no request');
      const signed = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]);
      assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
      assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000) < 30);
    }
  });

  /** Commands that write down how they were called and then are the real ones. */
  function shims(names: readonly string[]): { readonly path: string; readonly log: string } {
    const folder = join(home, 'shims');
    const log = join(home, 'calls');
    mkdirSync(folder);
    writeFileSync(log, '');
    for (const name of names) {
      const real = quietly(() => execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim());
      if (real === '') continue;
      writeFileSync(join(folder, name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>${log}\nexec ${real} "$@"\n`);
      chmodSync(join(folder, name), 0o755);
    }
    return { path: `${folder}:${process.env['PATH'] ?? ''}`, log };
  }
});

function commandLine(name: string): string {
  const text = readFileSync(join(setup, 'quench-commands.cfg'), 'utf8');
  return new RegExp(`command_name +${name}\\n +command_line +(.+)`).exec(text)?.[1] ?? assert.fail(`no command ${name}`);
}

describe('the objects to paste', () => {
  const names = ['notify-host-quench', 'notify-service-quench', 'quench-host-event', 'quench-service-event', 'notify-service-quench-form'];

  test('every macro on a command line is single-quoted, and none is a text that Nagios does not clean', () => {
    for (const name of names) {
      const line = commandLine(name);
      assert.doesNotMatch(line.replaceAll(/'[^']*'/g, ''), /\$/, `${name}: a macro outside single quotes`);
      assert.doesNotMatch(line, /\$(?:\w*ALIAS|\w*CHECKCOMMAND|NOTIFICATION(?:COMMENT|AUTHOR\w*)|\w*NOTES\w*|\w*ACTIONURL|_\w+|USER\d+)\$/);
    }
  });

  test('a semicolon, which starts a comment, stands in no directive', () => {
    for (const file of readdirSync(setup).filter((each) => each.endsWith('.cfg'))) {
      const directives = readFileSync(join(setup, file), 'utf8')
        .split('\n')
        .filter((line) => !line.startsWith('#'));
      for (const line of directives) assert.ok(!line.includes(';') && (line.match(/define /g)?.length ?? 0) <= 1, `${file}: ${line}`);
    }
  });
});
