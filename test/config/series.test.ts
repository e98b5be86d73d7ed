// `series` of quench.yaml: who keeps them, for how long, and what is told of one that is not understood.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { consoleNotifier } from '../../adapters/console/notifier.ts';
import { registry } from '../../adapters/registry.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { day } from '../../src/core/time.ts';
import { jarSeries } from '../support/toys/jar/series.ts';
import { bookTo, linesOf, playbookDeps, textFiles } from './support.ts';

const rest = `endpoints: { in: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
`;
const lid = 'the-password-of-a-jar';

function load(series: string): ReturnType<typeof loadConfig> {
  const { sources, logs, stores, actions: actionKinds } = registry;
  return loadConfig('/etc/q/quench.yaml', {
    ...playbookDeps,
    sources,
    logs,
    stores,
    series: [...registry.series, jarSeries],
    actionKinds,
    notifiers: [consoleNotifier],
    keyProblem: () => null,
    env: { LID: lid },
    files: textFiles({ '/etc/q/quench.yaml': `${series}\n${rest}`, '/etc/q/playbooks/one.yaml': bookTo('default') }),
  });
}

const told = (series: string): readonly string[] => linesOf(load(series)).map((line) => line.replace('/etc/q/', ''));

describe('series', () => {
  it('are kept by the gateway itself when nothing is said, points for 30 days, hours for 180, days for three years', () => {
    const loaded = load('');
    assert.ok(loaded.ok, linesOf(loaded).join('\n'));
    assert.deepEqual(loaded.value.series, {
      type: 'sqlite',
      options: {},
      keep: { pointsMs: 30 * day, hoursMs: 180 * day, daysMs: 1_095 * day },
      hosts: false,
      minutesSaved: { default: 15 },
    });
  });

  it('are kept elsewhere by the name of who keeps them, with secrets in place; what is coarser is kept at least as long', () => {
    const loaded = load(
      'series: { keep: { points: 400d }, hosts: true, minutesSaved: { restart: 30 }, jar: { label: pickles, lid: { env: LID } } }',
    );
    assert.ok(loaded.ok, linesOf(loaded).join('\n'));
    assert.deepEqual(loaded.value.series, {
      type: 'jar',
      options: { label: 'pickles', lid },
      keep: { pointsMs: 400 * day, hoursMs: 400 * day, daysMs: 1_095 * day },
      hosts: true,
      minutesSaved: { default: 15, restart: 30 },
    });
    assert.ok(loaded.value.secrets.includes(lid));
  });

  const wrong: readonly (readonly [says: string, series: string, line: RegExp])[] = [
    ['nobody known', 'series: { jra: { label: x } }', /^quench\.yaml:1:\d+: series\.jra: unknown member "jra"; did you mean "jar"\?$/],
    [
      'two at once',
      'series: { sqlite: {}, jar: { label: x } }',
      /: series: expected one of .*sqlite.*jar, seen sqlite and jar: one keeps the series$/,
    ],
    ['no options', 'series: { jar: here }', /: series\.jar: expected the options of jar, as a mapping$/],
    ['an option too few', 'series: { jar: {} }', /: series\.jar: .*label/],
    ['an option too many', 'series: { sqlite: { path: x } }', /: series\.sqlite\.path: /],
    ['a secret in the file', 'series: { jar: { label: x, lid: opensesame-opensesame } }', /: series\.jar\.lid: .*seen the secret itself/],
    ['a span too short', 'series: { keep: { points: 1h } }', /: series\.keep\.points: expected 86400 s to .*, seen 1h$/],
    [
      'hours shorter than points',
      'series: { keep: { points: 60d, hours: 30d } }',
      /: series\.keep\.hours: expected 5184000 s to .*, seen 30d$/,
    ],
    ['no word for hosts', 'series: { hosts: sometimes }', /: series\.hosts: expected true \(hosts are tags, too.*, seen "sometimes"/],
    ['a list', 'series: []', /: series: expected/],
  ];
  for (const [says, series, line] of wrong) {
    it(`are refused with ${says}`, () => {
      const lines = told(series);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', line);
      assert.ok(!lines.join('\n').includes('opensesame'));
    });
  }
});
