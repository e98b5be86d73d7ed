// `series: { influx: … }` of quench.yaml, and texts on their way: what needs no server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { settingsOf } from '../../../adapters/influx/options.ts';
import { timeOf } from '../../../adapters/influx/questions.ts';
import { sumsInto } from '../../../adapters/influx/schema.ts';
import { read, written } from '../../../adapters/influx/text.ts';
import { consoleNotifier } from '../../../adapters/console/notifier.ts';
import { registry } from '../../../adapters/registry.ts';
import { loadConfig } from '../../../src/config/quench/config.ts';
import { bookTo, linesOf, playbookDeps, textFiles } from '../../config/support.ts';
import { hostileTexts } from '../../contracts/store-fixture.ts';

const secret = 'the-password-of-influx';

function load(influx: string): ReturnType<typeof loadConfig> {
  const { sources, logs, stores, series, actions: actionKinds } = registry;
  const text = `series: { influx: ${influx} }
endpoints: { in: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
`;
  return loadConfig('/etc/q/quench.yaml', {
    ...playbookDeps,
    sources,
    logs,
    stores,
    series,
    actionKinds,
    notifiers: [consoleNotifier],
    keyProblem: () => null,
    env: { PW: secret },
    files: textFiles({ '/etc/q/quench.yaml': text, '/etc/q/playbooks/one.yaml': bookTo('default') }),
  });
}

describe('the options of InfluxDB', () => {
  it('are read with the password in place, and what is not said has its default', () => {
    const loaded = load('{ url: "https://influx.example:9999/base/", database: ops, username: q, password: { env: PW }, timeoutMs: 2000 }');
    assert.deepEqual(linesOf(loaded), []);
    assert.ok(loaded.ok);
    const { type, options } = loaded.value.series;
    assert.deepEqual([type, options['password']], ['influx', secret]);
    assert.ok(loaded.value.secrets.includes(secret));
    assert.deepEqual(settingsOf({ url: 'http://127.0.0.1:8086' }), {
      url: new URL('http://127.0.0.1:8086'),
      database: 'quench',
      login: null,
      ca: null,
      create: true,
      timeoutMs: 10_000,
    });
  });

  const wrong: readonly (readonly [says: string, influx: string, line: RegExp])[] = [
    ['a port that there is not', '{ url: "http://influx:99999" }', /series\.influx\.url: expected an address such as .* 65535/],
    ['half an address', '{ url: "http://[::1" }', /series\.influx\.url: expected an address such as .*\[::1\]:8086/],
    ['numbers that are no address', '{ url: "http://10.0.0.999:8086" }', /series\.influx\.url: expected an address/],
    ['no address', '{ database: x }', /series\.influx: .*url/],
    [
      'a password in the address',
      '{ url: "http://u:opensesame@127.0.0.1:8086" }',
      /series\.influx\.url: expected an address such as http:\/\/127\.0\.0\.1:8086, without user and password/,
    ],
    [
      'a password in the file',
      '{ url: "http://127.0.0.1", username: u, password: opensesame-opensesame }',
      /series\.influx\.password: .*seen the secret itself/,
    ],
    ['a password for nobody', '{ url: "http://127.0.0.1", password: { env: PW } }', /series\.influx: .*username/],
    [
      'a database that would be a statement',
      '{ url: "http://127.0.0.1", database: "a\\"; DROP" }',
      /series\.influx\.database: expected letters, digits, _, \. and -/,
    ],
    ['a word that is not known', '{ url: "http://127.0.0.1", databse: x }', /series\.influx\.databse: .*did you mean "database"/],
  ];
  for (const [says, influx, line] of wrong) {
    it(`are refused with ${says}`, () => {
      const lines = linesOf(load(influx)).join('\n');
      assert.match(lines, line);
    });
  }
});

describe('texts on their way', () => {
  it('X1: come back as they were, hold nothing that ends a line or escapes, and no two are alike', () => {
    const texts = new Map<string, string>();
    const look = (text: string): void => {
      const out = written(text);
      assert.equal(read(out), text);
      // oxlint-disable-next-line no-control-regex -- that is what must not be there
      assert.doesNotMatch(out, /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      assert.ok(out.isWellFormed());
      assert.equal(texts.get(out) ?? text, text);
      texts.set(out, text);
    };
    for (const text of hostileTexts) look(text);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), look));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('\n', '\\', '\ue000', '000a', '005c', 'a', '\ud800'), { maxLength: 6 }).map((parts) => parts.join('')),
        look,
      ),
    );
  });

  it('times are read to the nanosecond', () => {
    assert.deepEqual(timeOf('2026-12-01T00:00:00Z'), { at: Date.UTC(2026, 11, 1), nth: 0 });
    assert.deepEqual(timeOf('2026-12-01T00:00:00.5Z'), { at: Date.UTC(2026, 11, 1) + 500, nth: 0 });
    assert.deepEqual(timeOf('2026-12-01T00:00:00.123999999Z'), { at: Date.UTC(2026, 11, 1) + 123, nth: 999_999 });
  });

  it('days are made of hours: counts are added up, bounds stay bounds', () => {
    const text = sumsInto('q', 'decision', 'day');
    assert.match(
      text,
      /sum\("score_count"\) AS "score_count".*sum\("score_sum"\) AS "score_sum".*min\("score_min"\) AS "score_min".*max\("score_max"\) AS "score_max"/,
    );
    assert.match(text, /INTO "q"\."days"\."decision" FROM "q"\."hours"\."decision" GROUP BY time\(1d\), \* fill\(none\)$/);
  });
});
