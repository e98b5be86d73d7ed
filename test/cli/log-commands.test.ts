// `quench log` against a real gateway with its embedded log: figures, export in pieces, replay of it, and what move refuses.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { run } from '../../src/cli/run.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { parts } from '../../src/offline/parts.ts';
import { acting, eventually, houseFiles, openHouse, quench, scratch, write, type House, type Said } from './support.ts';

let house: House;
before(async () => {
  house = await openHouse();
  for (const host of ['db1', 'db2', 'db3']) {
    const said = await house.ask(['send', '--name', 'Full', '--host', host, '--severity', 'critical', '--summary', `full \u202e${host}`]);
    assert.equal(said.exit, 0, said.err);
  }
  await eventually(
    () => house.ask(['alert', 'list', '-q']),
    ({ out }) => out.trimEnd().split('\n').length === 3,
  );
});
after(() => house.stop());

interface Line {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly scope: string;
  readonly value: { readonly type: string; readonly event?: { readonly summary: string } };
  readonly raw?: string;
}

const linesOf = ({ out }: Said): readonly Line[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

describe('log stats', () => {
  it('tells where the log stands and that this gateway works on it', async () => {
    const said = await eventually(
      () => house.ask(['log', 'stats']),
      ({ out }) => /here +0 +here +0/.test(out),
    );
    assert.match(said.out, /^PARTITION +INPUTS +FACTS +HOST +LAG +EFFECTS +LAG\n0 +0\.\.\d+ +0\.\.\d+ +here +0 +here +0\n$/);
    assert.match(said.err, /^embedded log, asked of instance \d+-[0-9a-f]{16} \(intake, host, effects, project\)\n$/);
    const doc = JSON.parse((await house.ask(['log', 'stats', '-o', 'json'])).out) as {
      log: string;
      spool: null;
      partitions: { host: object }[];
    };
    assert.deepEqual([doc.log, doc.spool, doc.partitions.length], ['embedded', null, 1]);
  });

  it('may be asked by whoever may read', async () => {
    const said = await house.ask(['log', 'stats', '--token-file', join(house.dir, 'data/rita.token')]);
    assert.equal(said.exit, 0, said.err);
  });
});

describe('log stats of a gateway that is in trouble', () => {
  let server: Server;
  let url = '';
  let asked = 0;
  const partition = (number: number, host: object, effects: object): object => ({
    partition: number,
    inputs: { first: 0, end: 100, records: 100 },
    facts: { first: 0, end: 100, records: 100 },
    host,
    effects,
  });
  before(async () => {
    server = createServer((_req, res) => {
      asked += 1;
      const fine = { here: true, at: 100, lag: 0 };
      const partitions = [
        partition(0, { here: false, at: null, lag: null }, { here: false, at: 100, lag: 0 }),
        partition(1, { here: true, at: 90, lag: 10 * asked }, fine),
        partition(2, { here: true, at: 90, lag: 100 - asked }, fine),
      ];
      const spool = { records: 12, bytes: 3_000, oldestMs: 90_000 };
      res.end(JSON.stringify({ instance: 'one', roles: ['host'], log: 'shared', partitions, spool }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it('a partition that is not worked on here is told by word, a lag that grows by colour, too; a lag that shrinks is not', async () => {
    asked = 0;
    const said = await quench(['log', 'stats', '--url', url], { tty: true });
    assert.equal(asked, 2, 'a second look, as something is behind');
    const [, first = '', second = '', third = ''] = said.out.replaceAll('\u001b', 'ESC').split('\n');
    assert.match(first, /^0 .* {2}not here +- +not here +0$/, 'how far a role came says nothing about who works on it');
    assert.match(second, /ESC\[31mgrowing *ESC\[0m/);
    assert.match(third, /^2 .*ESC\[32mhere *ESC\[0m +98 /);
    assert.doesNotMatch(third, /growing/);
    assert.match(said.err, /12 batches \(3000 bytes\) wait for the log, the oldest for 1m30s/);
  });
});

describe('log export', () => {
  it('writes a line for each record, and nothing in it acts on a terminal', async () => {
    const said = await house.ask(['log', 'export', '--topic', 'inputs']);
    assert.equal(said.exit, 0, said.err);
    const lines = linesOf(said);
    assert.deepEqual(
      lines.map(({ topic, partition, offset }) => [topic, partition, offset]),
      lines.map((_, place) => ['inputs', 0, place]),
    );
    assert.deepEqual(
      lines.flatMap(({ value }) => value.event?.summary ?? []),
      ['db1', 'db2', 'db3'].map((host) => `full \u202e${host}`),
    );
    assert.doesNotMatch(said.out, acting);
    assert.match(said.err, new RegExp(`^${lines.length} records; what comes later begins at --from 0:${lines.length}\n$`));
  });

  it('goes on where it ended: pieces are the whole', async () => {
    const whole = linesOf(await house.ask(['log', 'export', '--topic', 'facts']));
    const pieces: Line[] = [];
    let from = '0:0';
    for (;;) {
      const said = await house.ask(['log', 'export', '--topic', 'facts', '--from', from, '--limit', '7']);
      const lines = linesOf(said);
      if (lines.length === 0) break;
      assert.ok(lines.length <= 7);
      pieces.push(...lines);
      from = /--from (\d+:\d+)/.exec(said.err)?.[1] ?? '';
    }
    assert.ok(whole.length > 14);
    assert.deepEqual(pieces.slice(0, whole.length), whole);
    assert.deepEqual(linesOf(await house.ask(['log', 'export', '--topic', 'facts', '--from', '5', '--limit', '2'])), whole.slice(5, 7));
  });

  it('adds deliveries as they were received on request', async () => {
    const lines = linesOf(await house.ask(['log', 'export', '--topic', 'inputs', '--raw']));
    const raws = lines.flatMap(({ raw }) => raw ?? []);
    assert.equal(raws.length, 3);
    assert.match(raws[0] ?? '', /"alertname":"Full"/);
  });

  it('needs an admin', async () => {
    const said = await house.ask(['log', 'export', '--topic', 'inputs', '--token-file', join(house.dir, 'data/rita.token')]);
    assert.deepEqual([said.exit, said.out], [4, '']);
    assert.match(said.err, /this needs the role admin/);
  });

  it('what is asked wrongly is a usage error, what is not there is exit code 3', async () => {
    const table: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /expected --topic inputs/],
      [['--topic', 'desks'], 2, /expected inputs, facts, seen "desks"/],
      [['--topic', 'inputs', '--from', 'x'], 2, /expected OFFSET or PARTITION:OFFSET, seen "x"/],
      [['--topic', 'inputs', '--partition', 'x'], 2, /--partition: expected a number or all/],
      [['--topic', 'inputs', '--partition', '0', '--from', '1:3'], 2, /--from names partition 1, --partition says 0/],
      [['--topic', 'inputs', '--limit', 'x'], 2, /--limit: expected a number/],
      [['--topic', 'inputs', '--partition', '9'], 3, /expected a partition from 0 to 0, seen "9"/],
    ];
    for (const [more, exit, err] of table) {
      const said = await house.ask(['log', 'export', ...more]);
      assert.deepEqual([said.exit, said.out], [exit, ''], more.join(' '));
      assert.match(said.err, err);
    }
  });

  it('ends where the log ended when it began, though the log grows meanwhile', async () => {
    const line = (offset: number): object => ({ topic: 'facts', partition: 0, offset, scope: 's', value: {} });
    const growing = createServer((req, res) => {
      const from = Number(/from=(\d+)/.exec(req.url ?? '')?.[1] ?? -1);
      res.end(JSON.stringify(from < 0 ? { partitions: [{}] } : { records: [line(from), line(from + 1)], next: from + 2, end: from + 3 }));
    });
    await new Promise<void>((resolve) => growing.listen(0, '127.0.0.1', resolve));
    const said = await quench([
      'log',
      'export',
      '--topic',
      'facts',
      '--url',
      `http://127.0.0.1:${(growing.address() as AddressInfo).port}`,
    ]);
    growing.close();
    assert.deepEqual(
      linesOf(said).map(({ offset }) => offset),
      [0, 1, 2],
    );
  });

  it('says where it broke off', async () => {
    const told = new AbortController();
    const said = await house.ask(['log', 'export', '--topic', 'facts'], { signal: told.signal, heard: () => told.abort() });
    assert.equal(said.exit, 0, 'a page in hand is written');
    const cut = createServer((req, res) => {
      if (req.url === '/api/v1/log') return res.end(JSON.stringify({ partitions: [{}] }));
      if (req.url?.includes('from=0') === true)
        return res.end(JSON.stringify({ records: [{ topic: 'facts', partition: 0, offset: 4, scope: 's', value: {} }], next: 5, end: 9 }));
      return req.destroy();
    });
    await new Promise<void>((resolve) => cut.listen(0, '127.0.0.1', resolve));
    const broken = await quench(['log', 'export', '--topic', 'facts', '--url', `http://127.0.0.1:${(cut.address() as AddressInfo).port}`]);
    cut.close();
    assert.equal(broken.exit, 5);
    assert.equal(linesOf(broken).length, 1);
    assert.match(broken.err, /broke off behind 1 records; go on with --from 0:5/);
  });
});

describe('log export to a reader that is gone', () => {
  it('names the record behind the last that was written: going on there repeats none', async () => {
    const told = new AbortController();
    let out = '';
    let err = '';
    const stdout = Object.assign(
      new Writable({
        highWaterMark: 1,
        write(chunk: Buffer) {
          out += chunk.toString(); // and never asks for more
          if (out.split('\n').length > 1) setImmediate(() => told.abort());
        },
      }),
      { isTTY: false, columns: 100 },
    );
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        err += chunk.toString();
        done();
      },
    });
    const argv = ['log', 'export', '--topic', 'facts', '--url', house.url, '--config', join(house.dir, 'quench.yaml')];
    const stdin = Object.assign(Readable.from([]), { isTTY: false });
    await run(argv, { env: {}, stdin, stdout, stderr, clock: systemClock, signal: told.signal }, parts);
    const last = linesOf({ out, err, exit: 0 }).at(-1);
    assert.match(err, new RegExp(`broke off behind 1 records; go on with --from 0:${(last?.offset ?? 0) + 1}`));
  });
});

describe('log replay', () => {
  interface Report {
    readonly inputs: { readonly fed: Record<string, number> };
    readonly was: { readonly alerts: number; readonly pages: number } | null;
    readonly now: { readonly alerts: number; readonly pages: number };
    readonly different: { readonly count: number };
  }

  it('of the running gateway with its own rules differs in nothing', async () => {
    const said = await house.ask(['log', 'replay', '--from', '0:0', '-o', 'json']);
    assert.equal(said.exit, 0, said.err);
    const report = JSON.parse(said.out) as Report;
    assert.deepEqual([report.inputs.fed['AlertSeen'], report.was?.alerts, report.now.alerts, report.different.count], [3, 3, 3, 0]);
    const all = JSON.parse((await house.ask(['log', 'replay', '--from', '0', '--partition', 'all', '-o', 'json'])).out) as Report;
    assert.deepEqual(all, report);
  });

  it('begins at the offset and ends at an offset or a time', async () => {
    const inputs = linesOf(await house.ask(['log', 'export', '--topic', 'inputs']));
    const [first, second] = inputs.filter(({ value }) => value.type === 'AlertSeen');
    const fed = async (...more: readonly string[]): Promise<number> => {
      const said = await house.ask(['log', 'replay', '-o', 'json', ...more]);
      return (JSON.parse(said.out) as Report).inputs.fed['AlertSeen'] ?? 0;
    };
    assert.equal(await fed('--from', `0:${second?.offset}`), 2);
    assert.equal(await fed('--from', `0:${first?.offset}`, '--until', String(second?.offset)), 1);
    assert.equal(await fed('--from', '0:0', '--until', '2001-01-01T00:00Z'), 0);
  });

  it('of an export in a file needs no gateway, shows both sides, and other rules differ', async () => {
    const { dir, remove } = scratch();
    const file = join(dir, 'log.jsonl');
    for (const topic of ['inputs', 'facts']) writeFileSync(file, (await house.ask(['log', 'export', '--topic', topic])).out, { flag: 'a' });
    const files = houseFiles();
    write(dir, { ...files, 'quench.yaml': `${files['quench.yaml']}paging: { severity: critical, score: 1 }\n` });
    const said = await quench(['log', 'replay', '--file', file, '--config', dir]);
    assert.equal(said.exit, 0, said.err + said.out);
    assert.match(said.out, /^fed +3 AlertSeen$/m);
    assert.match(said.out, /^alerts +3 then, 3 now$/m);
    assert.match(said.out, /^decided differently +3: 3 hold to record$/m);
    assert.match(said.out, /^paged then, not now +3$/m);
    assert.doesNotMatch(said.out, acting);
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"inputs"'))
        .join('\n'),
    );
    assert.match((await quench(['log', 'replay', '--file', file, '--config', dir])).err, /no facts in the recording/);
    remove();
  });

  it('what a file says of decisions does not act on the terminal, and what is not known of before is said', async () => {
    const { dir, remove } = scratch();
    write(dir, houseFiles());
    const file = join(dir, 'log.jsonl');
    for (const topic of ['inputs', 'facts']) writeFileSync(file, (await house.ask(['log', 'export', '--topic', topic])).out, { flag: 'a' });
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"decision": *"hold"/g, '"decision":"\\u001b[2Jhold"'));
    const said = await quench(['log', 'replay', '--file', file, '--config', dir]);
    remove();
    assert.equal(said.exit, 0, said.err);
    assert.match(said.out, /^decided differently +3: 3 \\x1b\[2Jhold to hold$/m);
    assert.doesNotMatch(said.out, acting);
    assert.match(said.out, /silences and flapping of before are not known$/m);
  });

  it('what is asked wrongly says what is right', async () => {
    const table: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /expected --from PARTITION:OFFSET, or --file/],
      [['--file', 'x.jsonl', '--from', '0:0'], 2, /--from goes with a gateway/],
      [['--from', '0:0', '--until', 'soon'], 2, /--until: expected an offset or a time/],
      [['--from', '0:0', '--until', '5', '--partition', 'all'], 2, /expected a time, seen an offset/],
      [['--from', '0:999999'], 3, /inputs of partition 0 have no record at 999999/],
      [['--file', join('nowhere', 'x.jsonl')], 3, /there is no file/],
    ];
    for (const [more, exit, err] of table) {
      const said = await house.ask(['log', 'replay', ...more]);
      assert.deepEqual([said.exit, said.out], [exit, ''], more.join(' '));
      assert.match(said.err, err);
    }
  });
});

describe('log move', () => {
  const nowhere = 'log: { type: kafka, brokers: ["127.0.0.1:1"] }\n';
  let place: ReturnType<typeof scratch>;
  before(() => {
    place = scratch();
    const files = houseFiles();
    write(place.dir, { ...files, 'quench.yaml': `${files['quench.yaml']}${nowhere}`, 'embedded.yaml': files['quench.yaml'] ?? '' });
  });
  after(() => place.remove());

  const moving = (from: string, config = 'quench.yaml'): Promise<Said> =>
    quench(['log', 'move', '--from', from, '--config', join(place.dir, config)]);

  it('needs a place to take from and a shared log to bring it to', async () => {
    const without = await quench(['log', 'move', '--config', place.dir]);
    assert.equal(without.exit, 2);
    assert.match(without.err, /expected --from DATA_DIR/);
    const embedded = await moving(join(house.dir, 'data'), 'embedded.yaml');
    assert.equal(embedded.exit, 1);
    assert.match(embedded.err, /names no shared log/);
    const broken = await moving(join(house.dir, 'data'), 'nothing.yaml');
    assert.equal(broken.exit, 1);
    assert.match(broken.err, /1 problem/);
  });

  it('takes nothing that is no data directory, and makes none', async () => {
    const empty = join(place.dir, 'playbooks');
    const said = await moving(empty);
    assert.equal(said.exit, 3);
    assert.match(said.err, /seen no quench\.db in it/);
    assert.deepEqual(
      readdirSync(empty).filter((name) => name.endsWith('.db')),
      [],
    );
  });

  it('refuses the directory that the new gateway is to use', async () => {
    writeFileSync(join(place.dir, 'data', 'quench.db'), '');
    const said = await moving(join(place.dir, 'data'));
    assert.equal(said.exit, 1);
    assert.match(said.err, /the very directory to move .* new data\.dir/);
  });

  it('refuses the data of a gateway that runs', async () => {
    const said = await moving(join(house.dir, 'data'));
    assert.equal(said.exit, 1);
    assert.match(said.err, /store_unavailable: .*in use by process \d+/);
  });
});
