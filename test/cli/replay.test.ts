// `quench replay`: recorded deliveries in, the contract of the quality benchmark out.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { houseFiles, quench, scratch, write, type Said } from './support.ts';

let place: ReturnType<typeof scratch>;
before(() => {
  place = scratch();
  // `mode: auto` for one of the house's playbooks; what it runs is not there, which a replay must not notice.
  const files = houseFiles();
  const acting = (files['playbooks/ask.yaml'] ?? '')
    .replace('mode: approve', 'mode: auto')
    .replace('within: 30s', 'within: 5m')
    .replace('all: [{ uses: shell/check, with: { argv: ["true"] }, expect: result.ok }]', 'all: [resolved]');
  write(place.dir, {
    'quench.yaml': (files['quench.yaml'] ?? '').replace('holdOff: 10s', 'holdOff: 5m'),
    'playbooks/ask.yaml': acting.replaceAll('["true"]', '["/nowhere/at/all"]'),
  });
});
after(() => place.remove());

const start = Date.parse('2026-03-01T10:00:00.000Z');
const iso = (seconds: number): string => new Date(start + seconds * 1_000).toISOString();

interface Recorded {
  readonly at: number;
  readonly name: string;
  readonly host: string;
  readonly uid: string;
  readonly status?: 'firing' | 'resolved';
  readonly began?: number;
  readonly severity?: string;
}

function delivery({ at, name, host, uid, status = 'firing', began = at, severity = 'critical' }: Recorded, source = 'prometheus'): string {
  const alert = {
    status,
    labels: { alertname: name, host, severity },
    annotations: { summary: `${name} on ${host}`, uid },
    startsAt: iso(began),
    endsAt: status === 'resolved' ? iso(at) : '0001-01-01T00:00:00Z',
  };
  return JSON.stringify({
    at: iso(at),
    source,
    headers: { 'content-type': 'application/json' },
    body: { version: '4', status, alerts: [alert] },
  });
}

const hour = 3_600;
const recorded = [
  delivery({ at: 0, name: 'Stuck', host: 'web1', uid: 'a1' }),
  delivery({ at: 30, name: 'HighLoad', host: 'web1', uid: 'b1', severity: 'warning' }),
  'this is no delivery \u2028 at all',
  delivery({ at: 60, name: 'HighLoad', host: 'web1', uid: 'b1', severity: 'warning', status: 'resolved', began: 30 }),
  delivery({ at: 61, name: 'Stuck', host: 'web1', uid: 'a1', status: 'resolved', began: 0 }),
  delivery({ at: 2 * hour, name: 'DiskFull', host: 'db1', uid: 'c1' }),
  delivery({ at: 2 * hour + 5, name: 'DiskFull', host: 'db1', uid: 'c2', began: 2 * hour }),
  delivery({ at: 2 * hour + 6, name: 'X', host: 'x', uid: 'x1' }, 'carrier-pigeon'),
  JSON.stringify({ at: iso(2 * hour + 7), source: 'prometheus', headers: {}, body: { no: 'alerts' } }),
  delivery({ at: 3 * hour, name: 'DiskFull', host: 'db1', uid: 'c2', status: 'resolved', began: 2 * hour }),
];

function linesIn(dir: string, name: string): readonly { readonly [name: string]: unknown }[] {
  return readFileSync(join(dir, name), 'utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly [name: string]: unknown });
}

const pick = (lines: readonly { readonly [name: string]: unknown }[], ...names: readonly string[]): readonly unknown[][] =>
  lines.map((line) => names.map((name) => line[name]));

async function replayed(text: string | Buffer, name: string, ...more: readonly string[]): Promise<Said & { readonly dir: string }> {
  const file = join(place.dir, name);
  writeFileSync(file, text);
  const dir = join(place.dir, `${name}.out`);
  return { dir, ...(await quench(['replay', file, '--out', dir, ...more])) };
}

describe('replay', () => {
  it('G1: a line for each alert received, in order, with what was decided when it came', async () => {
    const said = await replayed(`${recorded.join('\n')}\n`, 'golden.jsonl', '--config', place.dir);
    assert.equal(said.exit, 0, said.err);
    const alerts = linesIn(said.dir, 'alerts.jsonl');
    assert.deepEqual(Object.keys(alerts[0] ?? {}), ['line', 'index', 'uid', 'fingerprint', 'incident', 'score', 'decision', 'reason']);
    assert.deepEqual(pick(alerts, 'line', 'index', 'uid', 'incident', 'decision'), [
      [1, 0, 'a1', 'i2.default', 'remediate'],
      [2, 0, 'b1', 'i2.default', 'remediate'],
      [4, 0, 'b1', 'i2.default', 'record'],
      [5, 0, 'a1', 'i2.default', 'record'],
      [6, 0, 'c1', alerts[4]?.['incident'], 'hold'],
      [7, 0, 'c2', alerts[4]?.['incident'], 'record'],
      [10, 0, 'c2', alerts[4]?.['incident'], 'record'],
    ]);
    for (const { score, fingerprint } of alerts) {
      assert.ok(typeof score === 'number' && score > 0 && score <= 1);
      assert.match(String(fingerprint), /^[0-9a-f]{16}$/);
    }
    assert.equal(alerts[5]?.['score'], alerts[4]?.['score'], 'a repeat keeps the score that was stated');
    assert.deepEqual(new Set(alerts.map(({ fingerprint }) => fingerprint)).size, 3);
  });

  it('incidents tell their members, root, pages and runs in event time; a run is simulated, a page is only written down', async () => {
    const said = await replayed(recorded.join('\n'), 'incidents.jsonl', '--config', place.dir);
    const incidents = linesIn(said.dir, 'incidents.jsonl');
    assert.deepEqual(pick(incidents, 'openedAt', 'resolvedAt', 'resolvedBy', 'alerts', 'rootAlert', 'rootRank', 'mergedInto'), [
      [iso(0), iso(61), 'playbook', ['a1', 'b1'], 'a1', ['a1', 'b1'], null],
      [iso(2 * hour), iso(3 * hour), 'source', ['c1', 'c2'], 'c1', ['c1'], null],
    ]);
    const [first, second] = incidents as unknown as [
      { runs: { playbook: string; target: string; end: string; startedAt: string; endedAt: string }[]; pages: object[] },
      { runs: object[]; pages: { at: string; policy: string }[]; score: number },
    ];
    assert.deepEqual(first.pages, []);
    assert.deepEqual(
      first.runs.map(({ playbook, target, end, startedAt, endedAt }) => [playbook, target, end, startedAt, endedAt]),
      [['ask', 'host/web1', 'succeeded', iso(0), iso(61)]],
    );
    assert.deepEqual(
      second.pages.map(({ at, policy }) => [at, policy]),
      [[iso(2 * hour), 'default']],
    );
    assert.deepEqual(second.runs, []);
    assert.ok(second.score > 0 && second.score <= 1);
  });

  it('Y2: a line that is no delivery, a source nobody knows and a body nobody understands are counted and told', async () => {
    const said = await replayed(recorded.join('\n'), 'letters.jsonl', '--config', place.dir, '-o', 'json');
    const summary = JSON.parse(said.out) as {
      deliveries: number;
      alerts: number;
      deadLetters: { count: number; first: { line: number; reason: string }[] };
    };
    assert.deepEqual([summary.deliveries, summary.alerts, summary.deadLetters.count], [10, 7, 3]);
    assert.deepEqual(
      summary.deadLetters.first.map(({ line, reason }) => [line, reason]),
      [
        [3, 'not_json'],
        [8, 'unsupported'],
        [9, 'wrong_shape'],
      ],
    );
    assert.deepEqual(summary, JSON.parse(readFileSync(join(said.dir, 'summary.json'), 'utf8')));
    assert.deepEqual(readdirSync(said.dir).sort(), ['alerts.jsonl', 'incidents.jsonl', 'summary.json']);
  });

  it('V1: gzip or not, once or twice, the same bytes come out', async () => {
    const dirs = [
      await replayed(recorded.join('\n'), 'once.jsonl', '--config', place.dir),
      await replayed(recorded.join('\n'), 'once.jsonl', '--config', join(place.dir, 'quench.yaml')),
      await replayed(gzipSync(recorded.join('\n')), 'zipped.jsonl.gz', '--config', place.dir),
      await replayed(gzipSync(recorded.join('\n')), 'zipped-in-secret.jsonl', '--config', place.dir),
    ].map(({ dir }) => dir);
    for (const name of ['alerts.jsonl', 'incidents.jsonl', 'summary.json']) {
      assert.deepEqual(new Set(dirs.map((dir) => readFileSync(join(dir, name), 'utf8'))).size, 1, name);
    }
  });

  it('without a configuration the defaults hold: no playbook runs, a critical alert is paged after it was watched', async () => {
    const said = await replayed(recorded.join('\n'), 'defaults.jsonl');
    assert.equal(said.exit, 0, said.err);
    const incidents = linesIn(said.dir, 'incidents.jsonl') as unknown as { pages: { at: string }[]; runs: object[] }[];
    assert.deepEqual(
      incidents.map(({ pages, runs }) => [pages.map(({ at }) => at), runs.length]),
      [
        [[iso(15)], 0],
        [[iso(2 * hour + 15)], 0],
      ],
    );
  });

  it('an alert that nothing cures leaves a failed run and a page: simulated actions cure nothing', async () => {
    const said = await replayed(delivery({ at: 0, name: 'Stuck', host: 'web1', uid: 'a1' }), 'uncured.jsonl', '--config', place.dir);
    const [incident] = linesIn(said.dir, 'incidents.jsonl') as unknown as {
      pages: object[];
      runs: { end: string }[];
      resolvedBy: string;
    }[];
    assert.deepEqual(
      incident?.runs.map(({ end }) => end),
      ['failed'],
    );
    assert.equal(incident?.pages.length, 1);
    assert.equal(incident?.resolvedBy, 'timeout', 'nobody repeated or cleared it for three days');
  });

  it('Y1: a line out of order comes at the time of the one before it, and time goes on', async () => {
    const text = [delivery({ at: 100, name: 'A', host: 'a', uid: 'a1' }), delivery({ at: 50, name: 'B', host: 'b', uid: 'b1' })].join('\n');
    const said = await replayed(text, 'disorder.jsonl');
    assert.deepEqual(pick(linesIn(said.dir, 'incidents.jsonl'), 'openedAt', 'alerts'), [
      [iso(100), ['a1']],
      [iso(100), ['b1']],
    ]);
    assert.equal((JSON.parse(readFileSync(join(said.dir, 'summary.json'), 'utf8')) as { to: string }).to, iso(100));
  });

  it('G2: an occurrence that is told again is listed once, in the incident that it came to first', async () => {
    const told = [
      delivery({ at: 0, name: 'A', host: 'a', uid: 'u1' }),
      delivery({ at: 10, name: 'A', host: 'a', uid: 'u1', began: 0 }),
      delivery({ at: 20, name: 'A', host: 'a', uid: 'u1', began: 0, status: 'resolved' }),
      delivery({ at: 5 * hour, name: 'A', host: 'a', uid: 'u1' }),
    ];
    const said = await replayed(told.join('\n'), 'again.jsonl');
    assert.deepEqual(pick(linesIn(said.dir, 'incidents.jsonl'), 'alerts', 'rootAlert'), [
      [['u1'], 'u1'],
      [[], null],
    ]);
  });

  it('the root that was decided leads the ranking, whoever came first', async () => {
    const told = [
      delivery({ at: 1, name: 'A', host: 'a', uid: 'a1', began: 0, severity: 'warning' }),
      delivery({ at: 2, name: 'B', host: 'a', uid: 'b1', began: 1, severity: 'warning' }),
      delivery({ at: 3, name: 'C', host: 'a', uid: 'c1', began: 0, severity: 'critical' }),
    ];
    const said = await replayed(told.join('\n'), 'root.jsonl');
    assert.deepEqual(pick(linesIn(said.dir, 'incidents.jsonl'), 'alerts', 'rootAlert', 'rootRank'), [
      [['a1', 'b1', 'c1'], 'c1', ['c1', 'a1', 'b1']],
    ]);
  });

  it('only a line feed ends a line, whatever else is inside; blank lines count for nothing', async () => {
    const odd = delivery({ at: 0, name: 'A', host: 'a', uid: 'u\u2028v\u0085w' });
    const said = await replayed(`\n${odd}\r\n\n  \n${delivery({ at: 1, name: 'B', host: 'b', uid: 'b1' })}`, 'lines.jsonl');
    assert.deepEqual(pick(linesIn(said.dir, 'alerts.jsonl'), 'line', 'uid'), [
      [1, 'u\u2028v\u0085w'],
      [2, 'b1'],
    ]);
  });

  it('an empty file is a replay of nothing', async () => {
    for (const [text, name] of [
      ['', 'empty.jsonl'],
      [gzipSync(''), 'empty.jsonl.gz'],
    ] as const) {
      const said = await replayed(text, name);
      assert.equal(said.exit, 0, said.err);
      assert.match(said.out, /^incidents +0, 0 unresolved$/m);
    }
  });

  it('an alert without a recorder’s name is known by fingerprint and start', async () => {
    const plain = delivery({ at: 5, name: 'A', host: 'a', uid: 'x' }).replace(',"uid":"x"', '');
    const said = await replayed(plain, 'nameless.jsonl');
    const [alert] = linesIn(said.dir, 'alerts.jsonl');
    assert.equal(alert?.['uid'], null);
    assert.deepEqual(pick(linesIn(said.dir, 'incidents.jsonl'), 'alerts'), [[[`${String(alert?.['fingerprint'])}@${iso(5)}`]]]);
  });

  it('several alerts of one delivery keep their places, over scopes too', async () => {
    write(place.dir, {
      'scoped/quench.yaml': `${houseFiles()['quench.yaml']}scope: { labels: [host] }\n`,
      'scoped/playbooks/none.txt': '',
    });
    const alert = (host: string, uid: string): object => ({
      status: 'firing',
      labels: { alertname: 'A', host },
      annotations: { uid },
      startsAt: iso(0),
    });
    const body = { version: '4', alerts: [alert('a', 'u0'), alert('b', 'u1'), alert('a', 'u2')] };
    const said = await replayed(
      JSON.stringify({ at: iso(0), source: 'hook', headers: {}, body }),
      'scopes.jsonl',
      '--config',
      join(place.dir, 'scoped'),
    );
    assert.equal(said.exit, 0, said.err);
    assert.deepEqual(pick(linesIn(said.dir, 'alerts.jsonl'), 'line', 'index', 'uid'), [
      [1, 0, 'u0'],
      [1, 1, 'u1'],
      [1, 2, 'u2'],
    ]);
    assert.equal(linesIn(said.dir, 'incidents.jsonl').length, 2);
  });

  it('a file that is not there is 3, one that is cut off is 1, a configuration with problems is 1, Ctrl-C is 130', async () => {
    const out = ['--out', join(place.dir, 'none.out')];
    assert.equal((await quench(['replay', join(place.dir, 'none.jsonl'), ...out])).exit, 3);
    const whole = gzipSync(recorded.join('\n'));
    const cut = await replayed(whole.subarray(0, whole.length - 20), 'cut.jsonl.gz');
    assert.equal(cut.exit, 1);
    assert.match(cut.err, /cut\.jsonl\.gz: expected lines of JSON, plain or gzip/);
    write(place.dir, { 'broken/quench.yaml': 'listen: nonsense\n' });
    const broken = await replayed(recorded.join('\n'), 'broken.jsonl', '--config', join(place.dir, 'broken'));
    assert.equal(broken.exit, 1);
    assert.match(broken.out, /broken\/quench\.yaml:1:\d+: listen: expected/);
    const ctrlC = new AbortController();
    ctrlC.abort();
    writeFileSync(join(place.dir, 'stopped.jsonl'), recorded.join('\n'));
    assert.equal((await quench(['replay', join(place.dir, 'stopped.jsonl'), ...out], { signal: ctrlC.signal })).exit, 130);
  });
});

describe('virtual time', () => {});
