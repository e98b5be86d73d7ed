// The command line itself: help, completion, options, exit codes, colour, and gateways that are not there or not gateways.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { exitMeanings, exits } from '../../src/cli/exit.ts';
import { optionNames } from '../../src/cli/options.ts';
import { colourOf, shortSpan } from '../../src/cli/table.ts';
import { plain, plainJson, plainLines } from '../../src/cli/terminal.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { acting, quench, scratch, write } from './support.ts';

/** An address where somebody listened a moment ago. */
let nowhere = '';
before(async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  nowhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
});

describe('help', () => {
  it('lists every command and every exit code with its meaning', async () => {
    const said = await quench(['help']);
    assert.equal(said.exit, 0);
    for (const { words, says } of commands) assert.match(said.out, new RegExp(`^  ${words}\\b.*${says.replaceAll(/[.?()]/g, '.')}$`, 'm'));
    assert.deepEqual(
      Object.values(exits).sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 130],
    );
    assert.deepEqual(
      exitMeanings.map(([code]) => code),
      Object.values(exits),
    );
    for (const [code, says] of exitMeanings) assert.match(said.out, new RegExp(`^  ${code} +${says.replaceAll(/[.?()]/g, '.')}$`, 'm'));
  });

  it('is the same by word, by option, and when nothing is said', async () => {
    const help = await quench(['help']);
    assert.deepEqual(await quench([]), help);
    assert.deepEqual(await quench(['--help']), help);
    assert.deepEqual(await quench(['help', 'run', 'approve']), await quench(['run', 'approve', '-h']));
    assert.match((await quench(['help', 'run'])).out, /run cancel ID\.\.\./);
  });

  it('of a command names each of its options, and no option is without a command', async () => {
    for (const { words, options } of commands) {
      const said = await quench(['help', ...words.split(' ')]);
      for (const name of options) assert.ok(said.out.includes(`--${name}`), `${words} --${name}`);
    }
    const used = new Set(commands.flatMap(({ options }) => options));
    assert.deepEqual(
      optionNames.filter((name) => !used.has(name)),
      ['help', 'version'],
    );
  });

  it('tells the version', async () => {
    assert.match((await quench(['version'])).out, /^\d+\.\d+\.\d+/);
    assert.deepEqual(await quench(['--version']), await quench(['version']));
  });
});

describe('a wrong command line is exit code 2 and says what is right', () => {
  const table: readonly { readonly says: string; readonly argv: readonly string[]; readonly err: RegExp }[] = [
    { says: 'a command nobody knows', argv: ['incidant', 'list'], err: /no command "incidant"; did you mean "incident"\?/ },
    { says: 'a verb nobody knows', argv: ['incident', 'lst'], err: /no verb "lst"; did you mean "list"\?/ },
    { says: 'a noun alone', argv: ['incident'], err: /needs a verb: list, show, ack/ },
    {
      says: 'an option nobody knows',
      argv: ['incident', 'list', '--stat', 'open'],
      err: /unknown option --stat; did you mean "--state"\?/,
    },
    { says: 'an option without its value', argv: ['incident', 'list', '--state'], err: /--state needs a value: --state STATE/ },
    { says: 'an option in place of a value', argv: ['incident', 'list', '--state', '-q'], err: /--state needs a value/ },
    { says: 'a flag with a value', argv: ['incident', 'list', '--quiet=yes'], err: /--quiet takes no value/ },
    { says: 'a form nobody knows', argv: ['incident', 'list', '-o', 'yaml'], err: /--?o.*: expected table, json, name, seen "yaml"/ },
    { says: 'no id', argv: ['incident', 'ack'], err: /expected quench incident ack ID/ },
    { says: 'too many arguments', argv: ['incident', 'list', 'i1.default'], err: /at most 0 arguments, seen 1/ },
    {
      says: 'a severity that is none',
      argv: ['alert', 'list', '--severity', 'error,critcal'],
      err: /expected info, .*, seen "critcal"; did you mean "critical"/,
    },
    {
      says: 'two severities of one alert',
      argv: ['send', '--name', 'X', '--severity', 'info,error'],
      err: /--severity: expected one word/,
    },
    { says: 'an end that is none', argv: ['run', 'list', '--end', 'dead'], err: /--end: expected succeeded, .*, seen "dead"/ },
    { says: 'a sort that is none', argv: ['incident', 'list', '--sort', 'best'], err: /--sort: expected worst, newest, seen "best"/ },
    { says: 'a beginning that is none', argv: ['alert', 'list', '--since', 'monday'], err: /--since: expected a span like 2h, or a time/ },
    { says: 'a filter of another noun', argv: ['incident', 'list', '--match', 'a=b'], err: /incident list has no option --match/ },
    { says: 'a limit that is none', argv: ['incident', 'list', '--limit', 'many'], err: /--limit: expected 1 to/ },
    {
      says: 'a matcher that is none',
      argv: ['silence', 'add', 'db1', '--for', '1h', '--comment', 'x'],
      err: /expected a matcher like host=db1/,
    },
    { says: 'a silence without an end', argv: ['silence', 'add', 'a=b', '--comment', 'x', '-y'], err: /--for 2h, or --until-resolved/ },
    { says: 'a silence without a reason', argv: ['silence', 'add', 'a=b', '--for', '1h', '-y'], err: /needs a reason/ },
    {
      says: 'a span that is none',
      argv: ['silence', 'add', 'a=b', '--for', 'soon', '--comment', 'x', '-y'],
      err: /--for: expected a span/,
    },
    { says: 'nothing to send', argv: ['send'], err: /expected an endpoint/ },
    { says: 'two things to send', argv: ['send', 'hook', '--name', 'X'], err: /seen both/ },
    { says: 'a label that is none', argv: ['send', '--name', 'X', '--label', 'team'], err: /--label: expected NAME=VALUE/ },
    { says: 'a replay to nowhere', argv: ['replay', 'x.jsonl'], err: /--out DIR/ },
    { says: 'an address that is none', argv: ['status', '--url', 'gateway'], err: /expected the address of a gateway/ },
    { says: 'a password in the address', argv: ['status', '--url', 'http://me:secret@127.0.0.1'], err: /without user and password/ },
    { says: 'a shell nobody knows', argv: ['completion', 'tcsh'], err: /bash\|zsh\|fish/ },
  ];
  for (const { says, argv, err } of table) {
    it(says, async () => {
      const said = await quench(argv, { env: { QUENCH_URL: nowhere } });
      assert.deepEqual([said.exit, said.out], [exits.usage, ''], said.err);
      assert.match(said.err, err);
      assert.doesNotMatch(said.err, /secret/);
    });
  }

  it('options may stand before the command', async () => {
    const said = await quench(['-o', 'name', '--url', nowhere, 'incident', 'list']);
    assert.equal(said.exit, exits.unreachable);
  });
});

describe('gateways that are none', () => {
  let answer: RequestListener = (_req, res) => res.end();
  const asked: { authorization: string | undefined; path: string }[] = [];
  let server: Server;
  let url = '';
  before(async () => {
    server = createServer((req, res) => {
      asked.push({ authorization: req.headers.authorization, path: req.url ?? '' });
      answer(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const problem =
    (status: number, body: string, headers: { [name: string]: string } = {}): RequestListener =>
    (_req, res) => {
      res.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
      res.end(body);
    };

  it('nobody there is 5, and says what to do', async () => {
    const said = await quench(['incident', 'list'], { env: { QUENCH_URL: nowhere } });
    assert.equal(said.exit, exits.unreachable);
    assert.ok(said.err.startsWith(`quench: no gateway at ${nowhere} (ECONNREFUSED): is it running? start it with quench serve `), said.err);
  });

  it('a gateway that cannot take it now is 5, one that took too long is 6, any other refusal is 1', async () => {
    for (const [status, exit] of [
      [503, 5],
      [504, 6],
      [409, 1],
      [500, 1],
      [404, 3],
      [401, 4],
    ] as const) {
      answer = problem(status, '{"detail":"because"}');
      const said = await quench(['incident', 'list', '--url', url]);
      assert.equal(said.exit, exit, String(status));
      assert.match(said.err, /because/);
    }
  });

  it('one that talks nonsense is told apart', async () => {
    answer = problem(418, '<html>');
    const said = await quench(['incident', 'list', '--url', url]);
    assert.match(said.err, /answered 418 and no reason: is it a Quench gateway\?/);
    answer = problem(200, '["a", null, 7]');
    for (const command of [['incident', 'list'], ['status']]) {
      const { exit, err } = await quench([...command, '--url', url]);
      assert.deepEqual(
        [exit, /answered without "\w+": is it a Quench gateway of this version\?/.test(err)],
        [exits.failed, true],
        command.join(' '),
      );
    }
  });

  it('filters go to the gateway as they were given, spans as instants, the same on every page', async () => {
    asked.length = 0;
    let pages = 0;
    answer = (_req, res) => {
      pages += 1;
      res.end(JSON.stringify({ items: [], next: pages === 1 ? 'there' : null }));
    };
    const clock = { ...systemClock, now: () => Date.UTC(2026, 10, 21, 12) };
    const argv = ['incident', 'list', '--host', 'db1', '--host', 'web1', '--severity', 'critical,error', '--since', '2h', '--children'];
    await quench([...argv, '--until', '2026-11-21T11:00Z', '--limit', '5', '--url', url], { clock });
    const query = 'since=1795255200000&until=1795258800000&severity=critical%2Cerror&host=db1&host=web1&children=show&limit=5';
    assert.deepEqual(
      asked.map(({ path }) => path),
      [`/api/v1/incidents?${query}`, `/api/v1/incidents?${query}&after=there`],
    );
  });

  it('C1: never follows a redirect with the token, and M1: its words do not act', async () => {
    asked.length = 0;
    answer = problem(302, '', { location: '/elsewhere' });
    const said = await quench(['incident', 'list', '--url', url], { env: { QUENCH_TOKEN: 't0ken' } });
    assert.equal(said.exit, exits.unreachable);
    assert.deepEqual(asked, [{ authorization: 'Bearer t0ken', path: '/api/v1/incidents?limit=50' }]);
    answer = problem(409, JSON.stringify({ detail: 'no\u001b[31m\u009b' }));
    assert.doesNotMatch((await quench(['incident', 'list', '--url', url])).err, acting);
  });

  it('C1: a token beside the configuration is for this machine only', async () => {
    const place = scratch();
    write(place.dir, { 'data/admin.token': 'local-token\n' });
    answer = problem(200, '{"items":[]}');
    asked.length = 0;
    await quench(['incident', 'list', '--url', url, '--config', place.dir]);
    await quench(['incident', 'list', '--url', url.replace('127.0.0.1', '0.0.0.0'), '--config', place.dir]);
    place.remove();
    assert.deepEqual(
      asked.map(({ authorization }) => authorization),
      ['Bearer local-token', undefined],
    );
  });

  it('without --url and QUENCH_URL it goes where the configuration at hand listens', async () => {
    const place = scratch();
    const port = new URL(url).port;
    answer = problem(200, '{"items":[]}');
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      write(place.dir, { 'quench.yaml': `listen: { host: ${host}, port: ${port} }\n`, 'data/admin.token': 'local-token\n' });
      asked.length = 0;
      for (const config of [place.dir, `${place.dir}/quench.yaml`]) await quench(['incident', 'list', '--config', config]);
      assert.deepEqual(
        asked.map(({ authorization }) => authorization),
        ['Bearer local-token', 'Bearer local-token'],
        host,
      );
    }
    write(place.dir, { 'quench.yaml': 'listen: [\n' });
    const said = await quench(['status', '--config', place.dir, '--url', url]);
    place.remove();
    assert.notEqual(said.exit, exits.unreachable, 'a file that does not load is no hindrance');
  });

  it('a token that could split a header is refused before anything is sent', async () => {
    asked.length = 0;
    const said = await quench(['incident', 'list', '--url', url], { env: { QUENCH_TOKEN: 'a\r\nx: y' } });
    assert.equal(said.exit, exits.usage);
    assert.deepEqual(asked, []);
  });

  it('no answer in time is 6, for a question and for a stream alike', async () => {
    answer = () => {};
    const hasty = { ...systemClock, after: (_span: number, call: () => void) => systemClock.after(20, call) };
    for (const argv of [
      ['incident', 'list'],
      ['incident', 'watch'],
    ]) {
      const said = await quench([...argv, '--url', url], { clock: hasty });
      assert.equal(said.exit, exits.timeout, said.err);
      assert.match(said.err, /no answer from http:\/\/127\.0\.0\.1:\d+ within 30 s/);
    }
  });

  it('F1: an incident that was resolved while the stream was being opened ends its watch', async () => {
    const entry = (seq: number, type: string): object => ({ seq, at: seq, type, text: `${type} said`, detail: {} });
    let opened = false;
    let looks = 0;
    answer = (req, res) => {
      if (req.url === '/api/v1/events') {
        opened = true;
        res.write('retry: 2000\nid: 0:7\n\n');
        return;
      }
      if (opened) looks += 1;
      const from = Number(/after=(-?\d+)/.exec(req.url ?? '')?.[1]);
      const all = [entry(1, 'IncidentOpened'), ...(looks >= 2 ? [entry(5, 'IncidentResolved')] : [])] as { seq: number }[];
      res.end(JSON.stringify({ items: all.filter(({ seq }) => seq > from), next: null }));
    };
    const said = await quench(['incident', 'watch', 'i1.default', '--url', url, '--timeout', '5s']);
    assert.equal(said.exit, 0, said.err);
    assert.deepEqual(
      said.out
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^\S+ +/, '')),
      ['IncidentOpened said', 'IncidentResolved said'],
    );
  });

  it('F2: a stream that is lost is taken up where it ended', async () => {
    const asks: (string | undefined)[] = [];
    const line = (seq: number): string =>
      JSON.stringify({
        type: 'IncidentNoted',
        scope: 'default',
        seq,
        at: seq,
        incident: 'i1.default',
        text: `ann: note ${seq}`,
        detail: {},
      });
    answer = (req, res) => {
      asks.push(req.headers['last-event-id'] as string | undefined);
      res.write(
        asks.length === 1
          ? `id: 0:1\n\nid: 0:2\nevent: line\ndata: ${line(1)}\n\n`
          : `:\n\nid: 0:3\nevent: document\ndata: {}\n\nid: 0:3\nevent: line\ndata: ${line(2)}\n\n`,
      );
      if (asks.length === 1) setTimeout(() => res.destroy(), 20);
    };
    const ctrlC = new AbortController();
    const said = await quench(['incident', 'watch', '--url', url], {
      signal: ctrlC.signal,
      clock: { ...systemClock, after: (span, call) => systemClock.after(span / 20, call) },
      heard: (out) => {
        if (out.includes('note 2')) ctrlC.abort();
      },
    });
    assert.equal(said.exit, exits.interrupted);
    assert.deepEqual(asks, [undefined, '0:2']);
    assert.equal(said.out.match(/ann: note \d/g)?.join(), 'ann: note 1,ann: note 2');
    assert.match(said.err, /lost the gateway, trying again/);
  });

  it('Ctrl-C during a request is 130', async () => {
    const ctrlC = new AbortController();
    answer = () => ctrlC.abort();
    const said = await quench(['incident', 'list', '--url', url], { signal: ctrlC.signal });
    assert.equal(said.exit, exits.interrupted);
  });

  it('colour is for a terminal only, and not when NO_COLOR or TERM=dumb ask for none', async () => {
    const doc = {
      id: 'i1.default',
      state: 'open',
      severity: 'critical',
      title: 'x'.repeat(200),
      children: 0,
      members: 1,
      score: null,
      decision: 'page',
      openedAt: 0,
      acknowledgedBy: null,
      resolvedBy: null,
      resolvedWho: null,
    };
    answer = problem(200, JSON.stringify({ items: [doc], next: null }));
    const argv = ['incident', 'list', '--url', url];
    assert.ok((await quench(argv, { tty: true })).out.includes('\u001b[31m'));
    assert.ok((await quench(argv, { tty: true, env: { NO_COLOR: '' } })).out.includes('\u001b[31m'));
    assert.doesNotMatch((await quench(argv, { tty: true, env: { NO_COLOR: '1' } })).out, acting);
    assert.doesNotMatch((await quench(argv, { tty: true, env: { TERM: 'dumb' } })).out, acting);
    const piped = await quench(argv);
    assert.doesNotMatch(piped.out, acting);
    assert.ok(piped.out.includes(doc.title), 'a pipe gets the whole line');
    const lines = (await quench(argv, { tty: true, env: { NO_COLOR: '1' } })).out.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.length <= 100),
      [true, true],
      'a terminal gets what fits',
    );
  });
});

describe('text', () => {
  it('M1: writes out what could act, keeps what is read', () => {
    assert.equal(plain('a\u001b[2J\r\nb\tc\u009b\u202e d — ü 漢 🙂'), 'a\\x1b[2J b c\\x9b\\u202e d — ü 漢 🙂');
    assert.equal(plainLines('a\r\nb\tc\u0007'), 'a\nb\tc\\x07');
    assert.equal(plain('\ud800'), '\ufffd');
    const value = { text: 'a\u007f\u0085\u2028\u2066 "q" \\ \u001b' };
    assert.doesNotMatch(plainJson(value), acting);
    assert.deepEqual(JSON.parse(plainJson(value)), value);
  });

  it('spans are as long as a person reads them', () => {
    assert.deepEqual([0, 999, 45_000, 5_400_000, 187_261_000].map(shortSpan), ['0s', '0s', '45s', '1h30m', '2d4h']);
    assert.deepEqual(['open', 'resolved', 'waiting', 'info'].map(colourOf), ['red', 'green', 'yellow', null]);
  });
});

describe('completion', () => {
  function complete(script: string, ...words: readonly string[]): readonly string[] {
    const asked = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _quench; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', asked], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.trim().split('\n');
  }

  it('bash completes nouns, verbs, options and their words', async () => {
    const { out, exit } = await quench(['completion', 'bash']);
    assert.equal(exit, 0);
    assert.deepEqual(complete(out, 'quench', 'inc'), ['incident']);
    assert.deepEqual(complete(out, 'quench', 'run', ''), ['list', 'show', 'output', 'approve', 'deny', 'cancel']);
    assert.deepEqual(complete(out, 'quench', 'run', 'approve', '--wa'), ['--wait']);
    assert.deepEqual(complete(out, 'quench', 'status', '--u'), ['--url']);
    assert.deepEqual(complete(out, 'quench', 'run', 'list', '--output', ''), ['table', 'json', 'name']);
    assert.deepEqual(complete(out, 'quench', 'incident', 'list', '--sort', ''), ['worst', 'newest']);
    assert.deepEqual(complete(out, 'quench', 'alert', 'list', '--severity', 'c'), ['critical']);
    assert.deepEqual(complete(out, 'quench', 'incident', 'list', '--pa'), ['--parent']);
  });

  it('zsh and fish get every noun and every option', async () => {
    assert.match((await quench(['completion', 'zsh'])).out, /^#compdef quench\n/);
    const { out } = await quench(['completion', 'fish']);
    for (const { words, options } of commands) {
      assert.ok(out.includes(`-a ${words.split(' ')[0]}`), words);
      for (const name of options) assert.ok(out.includes(`-l ${name}`), `${words} ${name}`);
    }
    assert.doesNotMatch(out, /-d '[^']*'[^\n]/, 'quotes are closed at the end of the line');
  });
});
