// Time series over a real InfluxDB: the contract, and what only a server can do: be away, hang, forget, refuse, and be attacked through its own protocol.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { settingsOf, type InfluxOptions } from '../../adapters/influx/options.ts';
import { batchMax, influxSeries } from '../../adapters/influx/series.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { day, hour, minute } from '../../src/core/time.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import type { Series } from '../../src/ports/series.ts';
import { bucketOf } from '../../src/readmodel/series/time.ts';
import { alertPoint, seriesContract, seriesKeep, type SeriesClock } from '../contracts/series.ts';
import { gateTo, influxPresence, startInflux, type Influx } from './server.ts';

const presence = influxPresence();
let server: Influx;
let names = 0;
const living = new Set<Series>();

function open(
  options: Partial<InfluxOptions> & { readonly database: string },
  clock: Pick<SeriesClock, 'now'> = systemClock,
  said: string[] = [],
): Series {
  const settings = settingsOf({ url: server.url, ...options });
  const logger = { info: (fields: object) => void said.push(JSON.stringify(fields)) };
  const series = influxSeries({ settings, keep: seriesKeep, clock: { ...systemClock, now: () => clock.now() }, logger });
  living.add(series);
  return series;
}

const fresh = (): string => `quench-${(names += 1)}.test`;

describe('series over InfluxDB', { skip: presence.skip, timeout: 300_000 }, () => {
  before(async () => {
    presence.demand();
    server = await startInflux();
  });
  after(async () => {
    for (const series of living) await series.close();
    await server.stop();
  });

  seriesContract('InfluxDB', async (clock) => {
    const database = fresh();
    return {
      series: open({ database }, clock),
      reopen: async () => open({ database }, clock),
      destroy: async () => void (await server.ask(`DROP DATABASE "${database}"`)),
    };
  });

  const now = Date.now();
  const someHour = bucketOf(now, 'hour') - 3 * hour;
  const asked = { measurement: 'alert', field: 'fired', scopes: 'all', from: someHour - day, to: now + hour } as const;
  const countIn = async (series: Series): Promise<number> =>
    (await series.measure(asked)).groups.reduce((sum, { count }) => sum + count, 0);

  test('policies and continuous queries are made once, changed where they are others, and left alone where we may not', async () => {
    const database = fresh();
    await open({ database }).write([alertPoint(now, { fired: 1 })]);
    const policies = await server.ask(`SHOW RETENTION POLICIES ON "${database}"`);
    for (const each of [/"points","48h0m0s"[^\]]*true/, /"hours","480h0m0s"/, /"days","9600h0m0s"/]) assert.match(policies, each);
    const queries = await server.ask('SHOW CONTINUOUS QUERIES');
    assert.equal(queries.match(new RegExp(`quench_[a-z]+_(hours|days).*?${database.replace('.', '\\.')}`, 'g'))?.length, 10);

    const said: string[] = [];
    await open({ database }, systemClock, said).write([alertPoint(now, { fired: 1 })]);
    assert.deepEqual(said, [], 'a second start finds them as they are');
    await server.ask(`ALTER RETENTION POLICY "hours" ON "${database}" DURATION 100h`);
    await server.ask(`DROP CONTINUOUS QUERY "quench_page_days" ON "${database}"`);
    await server.ask(
      `CREATE CONTINUOUS QUERY "quench_page_days" ON "${database}" BEGIN SELECT mean("x") INTO "y" FROM "z" GROUP BY time(1h) END`,
    );
    await open({ database }, systemClock, said).write([alertPoint(now, { fired: 1 })]);
    assert.match(said.join('\n'), /hours kept for 100h0m0s before, 480h[\s\S]*quench_page_days was another/);
    assert.match(await server.ask(`SHOW RETENTION POLICIES ON "${database}"`), /"hours","480h0m0s"/);

    const other = fresh();
    await server.ask(`CREATE DATABASE "${other}"`);
    await assert.rejects(
      open({ database: other, create: false }).write([alertPoint(now, { fired: 1 })]),
      /the retention policy points of .* is missing: make it, or leave out `create: false`/,
    );
    assert.ok(!(await server.ask(`SHOW RETENTION POLICIES ON "${other}"`)).includes('points'));
  });

  test('the continuous queries make hours of what comes now', async () => {
    const database = fresh();
    const series = open({ database });
    await series.write(Array.from({ length: 5 }, (_, n) => alertPoint(now - n, { fired: 1, claims: n })));
    await server.ask(`DROP CONTINUOUS QUERY "quench_alert_hours" ON "${database}"`);
    // As often as a test can wait for; the statement is ours.
    const { sumsInto } = await import('../../adapters/influx/schema.ts');
    await server.ask(
      `CREATE CONTINUOUS QUERY "quench_alert_hours" ON "${database}" RESAMPLE EVERY 1s FOR 3h BEGIN ${sumsInto(database, 'alert', 'hour')} END`,
    );
    let made = '';
    for (let look = 0; look < 100 && !made.includes('fired_count'); look += 1) {
      await sleep(100);
      made = await server.ask(
        `SELECT sum("fired_count") AS fired_count, sum("claims_sum") AS claims FROM "${database}"."hours"."alert" GROUP BY "rule"`,
      );
    }
    assert.match(made, /"rule":"DiskFull"[\s\S]*,5,10\]/);
  });

  test('a newline, a comma, a quote or a backslash in any text makes no point, no tag and no measurement', async () => {
    const database = fresh();
    const series = open({ database });
    const attacks = [
      'l1\nfake,source=x v=1',
      'x\\',
      '\\\nfake v=1',
      'a,evil=1',
      'a=b',
      'a b',
      '"',
      '" v="1',
      "'",
      '\r\nfake v=1',
      '\u2028fake v=1',
      '\0',
    ];
    for (const [n, text] of attacks.entries()) {
      await series.write([
        {
          measurement: 'page',
          at: someHour + n,
          nth: n,
          tags: { scope: text, rule: text, severity: text, team: text, ladder: text, host: text },
          fields: { opened: 1 },
          words: { incident: text, page: text, by: text },
        },
      ]);
    }
    assert.equal(
      await server.ask(`SHOW MEASUREMENTS ON "${database}"`),
      '{"results":[{"statement_id":0,"series":[{"name":"measurements","columns":["name"],"values":[["page"]]}]}]}\n',
    );
    assert.match(
      await server.ask(`SHOW TAG KEYS ON "${database}"`),
      /"values":\[\["host"\],\["ladder"\],\["rule"\],\["scope"\],\["severity"\],\["team"\]\]/,
    );
    assert.match(
      await server.ask(`SHOW FIELD KEYS ON "${database}" FROM "points"."page"`),
      /"values":\[\["by","string"\],\["incident","string"\],\["opened","float"\],\["page","string"\]\]/,
    );
    const { points } = await series.points({ measurement: 'page', scopes: 'all', from: someHour, to: now, limit: 99 });
    assert.deepEqual(
      points.map(({ tags }) => tags.scope),
      attacks,
    );
  });

  test('a large batch goes out in pieces of at most five thousand, and each point once', async () => {
    const database = fresh();
    const gate = await gateTo(server.url);
    const series = open({ database, url: gate.url });
    const points = Array.from({ length: 2 * batchMax + 10 }, (_, n) => alertPoint(someHour + n, { fired: 1 }));
    assert.deepEqual(await series.write(points), []);
    assert.equal(await countIn(series), points.length);
    assert.equal(gate.heard().match(/POST \/write/g)?.length, 3);
    assert.deepEqual(await series.write(points), []);
    assert.equal(await countIn(series), points.length);
    await gate.close();
  });

  test('I1: what a batch holds that the server cannot take is told, the rest is there, and nothing is sent again', async () => {
    const database = fresh();
    const gate = await gateTo(server.url);
    const series = open({ database, url: gate.url });
    await series.write([alertPoint(now, { cleared: 1 })]);
    await fetch(`${server.url}/write?db=${database}&rp=points`, { method: 'POST', body: `alert,scope=other fired="a word" ${now}000000` });
    const sent = gate.heard().match(/POST \/write/g)?.length ?? 0;
    const refused = await series.write([alertPoint(now - 1, { fired: 1 }), alertPoint(now - 2, { cleared: 1 })]);
    assert.equal(gate.heard().match(/POST \/write/g)?.length, sent + 1);
    assert.deepEqual([refused.length, refused[0]?.points], [1, 1]);
    assert.match(refused[0]?.reason ?? '', /^InfluxDB: partial write: field type conflict: .*dropped=1/);
    const { groups } = await series.measure({ ...asked, field: 'cleared' });
    assert.equal(groups[0]?.count, 2);
    await gate.close();
  });

  test('a server that is away, hangs or was emptied is said in a sentence, within bounds, and written to once it is back', async () => {
    const database = fresh();
    const gate = await gateTo(server.url);
    const series = open({ database, url: gate.url, timeoutMs: 1_000 });
    const rejected = (work: Promise<unknown>, says: RegExp): Promise<void> =>
      assert.rejects(
        work,
        (error: unknown) => error instanceof GatewayError && error.code === 'store_unavailable' && says.test(error.message),
      );
    await gate.close();
    await rejected(series.write([alertPoint(now, { fired: 1 })]), /InfluxDB: connect ECONNREFUSED/);
    await rejected(series.measure(asked), /ECONNREFUSED/);
    await gate.open();
    assert.deepEqual(await series.write([alertPoint(now, { fired: 1 })]), []);

    server.signal('SIGSTOP');
    const began = performance.now();
    await rejected(series.write([alertPoint(now - 1, { fired: 1 })]), /InfluxDB: .*timed out|no answer within/i);
    assert.ok(performance.now() - began < 8_000, `${performance.now() - began} ms`);
    server.signal('SIGCONT');
    assert.deepEqual(await series.write([alertPoint(now - 1, { fired: 1 })]), []);
    assert.equal(await countIn(series), 2);

    await server.ask(`DROP DATABASE "${database}"`);
    await rejected(series.write([alertPoint(now, { fired: 1 })]), /database not found/);
    assert.deepEqual(await series.write([alertPoint(now, { fired: 1 })]), [], 'made again');
    assert.equal(await countIn(series), 1);

    await server.kill();
    await rejected(series.write([alertPoint(now - 2, { fired: 1 })]), /InfluxDB: /);
    await server.start();
    assert.deepEqual(await series.write([alertPoint(now - 2, { fired: 1 })]), []);
    assert.equal(await countIn(series), 2);
    await gate.close();
  });

  test('S3: hours that come late are summed up with the batch, also after those before them', async () => {
    const database = fresh();
    const clock: SeriesClock = { at: now, now: () => clock.at };
    const series = open({ database }, clock);
    const noon = bucketOf(now, 'day') - 12 * hour;
    for (const at of [noon + minute, noon + 2 * minute, noon - 5 * hour, noon + 90 * minute])
      await series.write([alertPoint(at, { fired: 1 })]);
    clock.at += 10 * day;
    const hourly = await series.measure({ ...asked, from: noon - 6 * hour, to: noon + 3 * hour, every: 'hour' });
    assert.deepEqual(
      hourly.groups.map(({ at, count }) => [(Number(at) - noon) / hour, count]),
      [
        [-5, 1],
        [0, 2],
        [1, 1],
      ],
    );
    clock.at += 100 * day;
    assert.equal(await countIn(series), 4);
  });
});

describe('series over an InfluxDB that asks who is there', { skip: presence.skip, timeout: 120_000 }, () => {
  const login = { username: 'quench', password: 'p@ss "word" \\ of a test, 1 & 2' } as const;
  let closed: Influx;
  before(async () => {
    presence.demand();
    closed = await startInflux({ username: login.username, password: 'plain-password-of-a-test' });
  });
  after(() => closed.stop());

  test('who has the password is let in; a wrong one is told without telling it', async () => {
    const good = open({ database: 'q', url: closed.url, username: 'quench', password: 'plain-password-of-a-test' });
    assert.deepEqual(await good.write([alertPoint(Date.now(), { fired: 1 })]), []);

    const bad = open({ database: 'q', url: closed.url, ...login });
    const error: unknown = await bad.write([alertPoint(Date.now(), { fired: 1 })]).catch((failure: unknown) => failure);
    assert.ok(error instanceof GatewayError);
    assert.match(error.message, /the server refuses us \(401\): authorization failed/);
    const told = `${String(error)} ${error.stack ?? ''} ${JSON.stringify(error)} ${JSON.stringify(Object.entries(error))} ${String(error.cause)}`;
    for (const secret of [login.password, Buffer.from(`${login.username}:${login.password}`).toString('base64'), 'Basic '])
      assert.ok(!told.includes(secret));
    assert.equal(error.cause, undefined, "the client's error carries the whole request");
  });
});
