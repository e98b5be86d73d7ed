// A new thing is a folder and a line: toys beside the real registry are configured, judged and used like everything else, and nothing in src knows them.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { createActions } from '../../adapters/kit/action-guard.ts';
import { registry } from '../../adapters/registry.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadPlaybooks } from '../../src/config/playbook/playbooks.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import type { ForkedExecutor } from '../../src/executor/client.ts';
import { localExecutor } from '../../src/executor/local.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { startGateway } from '../../src/gateway/compose.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import type { RouteDeps } from '../../src/ports/routes.ts';
import { strictAjv } from '../../src/ports/json-schema.ts';
import { exchanged, linesOf } from '../config/support.ts';
import { until } from '../support/living.ts';
import { contentOf } from '../support/toys/jar/series.ts';
import { toys } from '../support/toys/registry.ts';
import { wallClock } from '../support/wallclock.ts';

const quench = `listen: { host: 127.0.0.1, port: 0 }
data: { type: scratch, dir: ./nowhere }
series: { jar: { label: lights } }
endpoints: { sensors: { source: sensor, allowUnauthenticated: true, options: { floor: first }, reconcile: { rooms: ./dark.txt } } }
notifiers: { roof: { type: siren, file: ./siren.txt, voice: { env: VOICE } } }
ladders: { default: { rungs: [{ notify: roof }] } }
actions: { lamp: { dir: ./lamps } }
settle: 0s
holdOff: 20s
`;

const playbook = `apiVersion: playbook/v1
name: light
version: 1.0.0
summary: Switches the lamp of a dark room on.
owner: team/house
mode: auto
on: [{ alert: alert.name == "Dark" && alert.host != "cellar" }]
params: { room: { type: string, from: alert.host, pattern: "[a-z]+" } }
target: { resource: "room/\${params.room}" }
steps:
  - { id: count, uses: lamp/count }
  - { id: on, uses: lamp/switch, with: { lamp: $params.room, scene: "bright at once", note: $alert.summary } }
verify: { within: 30s, every: 5s, all: [{ uses: lamp/look, with: { lamp: $params.room }, expect: result.scene == "bright at once" }] }
`;

const depsOf = (reg = toys) => configDeps({ VOICE: 'loud' }, diskFiles, createExpressions(), systemClock, reg);

const deps = depsOf();

/** The problems of the playbook with one part exchanged. */
function toldOf(part: string, by: string): readonly string[] {
  return linesOf(loadPlaybooks([{ file: 'light.yaml', text: exchanged(playbook, part, by) }], deps));
}

function written(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'quench-toys-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const name of ['playbooks', 'lamps']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'quench.yaml'), quench);
  writeFileSync(join(dir, 'dark.txt'), 'attic\n');
  writeFileSync(join(dir, 'playbooks', 'light.yaml'), playbook);
  return dir;
}

describe('a toy source, a toy notifier and a toy family of actions', () => {
  it('are configured by their own schemas, with secrets and paths like all others', (t) => {
    const dir = written(t);
    const loaded = loadConfig(join(dir, 'quench.yaml'), depsOf());
    assert.deepEqual(linesOf(loaded), []);
    assert.ok(loaded.ok);
    assert.deepEqual(loaded.value.notifiers['roof'], { type: 'siren', options: { file: join(dir, 'siren.txt'), voice: 'loud' } });
    assert.deepEqual(loaded.value.actions, { lamp: { dir: join(dir, 'lamps') } });
    assert.deepEqual(
      loaded.value.policy.playbooks[0]?.steps.map(({ uses }) => uses),
      ['lamp/count', 'lamp/switch'],
    );
  });

  it('are unknown where the line is missing, and what is wrong with their options is told by place', (t) => {
    const dir = written(t);
    const without = linesOf(loadConfig(join(dir, 'quench.yaml'), depsOf(registry)));
    for (const told of [
      /unknown source "sensor"/,
      /unknown type of notifier "siren"/,
      /unknown kind of action "lamp"/,
      /unknown action "lamp\/switch"/,
    ])
      assert.ok(
        without.some((line) => told.test(line)),
        String(told),
      );
    writeFileSync(
      join(dir, 'quench.yaml'),
      quench.replace('floor: first', 'flor: first').replace('./dark.txt', '[]').replace('{ env: VOICE }', 'shout'),
    );
    const wrong = linesOf(loadConfig(join(dir, 'quench.yaml'), depsOf()));
    for (const told of [
      /endpoints\.sensors\.options\.flor: .*did you mean "floor"/,
      /endpoints\.sensors\.reconcile\.rooms: /,
      /notifiers\.roof\.voice: .*seen the secret itself/,
    ])
      assert.ok(
        wrong.some((line) => told.test(line)),
        `${String(told)}\n${wrong.join('\n')}`,
      );
  });

  const wrongs: readonly { readonly says: string; readonly part: string; readonly by: string; readonly want: RegExp }[] = [
    {
      says: 'a reference in program text, even through a parameter',
      part: 'scene: "bright at once"',
      by: 'scene: "bright ${params.room}"',
      want: /steps\[1\]\.with\.scene: expected a program text without references, seen one: lamp\/switch would run what the value says/,
    },
    {
      says: 'a whole reference as program text',
      part: 'scene: "bright at once"',
      by: 'scene: $steps.count.scene',
      want: /steps\[1\]\.with\.scene: expected a program text without references/,
    },
    {
      says: 'a value straight from the alert as address',
      part: 'lamp: $params.room, scene',
      by: 'lamp: $alert.host, scene',
      want: /steps\[1\]\.with\.lamp: expected a parameter here, seen a value straight from the alert/,
    },
    {
      says: 'what only the action can judge',
      part: 'scene: "bright at once"',
      by: 'scene: "strobe"',
      want: /steps\[1\]\.with\.scene: expected a calm scene, seen one with a strobe: leave it out/,
    },
    {
      says: 'a literal that its schema does not admit',
      part: 'scene: "bright at once"',
      by: 'scene: ""',
      want: /steps\[1\]\.with\.scene: lamp\/switch: expected some text, seen ""/,
    },
    {
      says: 'a proof by an action that changes something',
      part: 'uses: lamp/look, with: { lamp: $params.room }',
      by: 'uses: lamp/switch, with: { lamp: $params.room, scene: dim }',
      want: /verify\.all\[0\]\.uses: expected an action that only reads, seen lamp\/switch: a proof must not change anything/,
    },
    {
      says: 'a proof by an action that proves nothing',
      part: 'uses: lamp/look, with: { lamp: $params.room }',
      by: 'uses: lamp/count',
      want: /verify\.all\[0\]\.uses: expected an action that may serve as a proof \(.*lamp\/look\), seen lamp\/count/,
    },
    {
      says: 'a retry of what happens once, without a word about no answer',
      part: 'uses: lamp/switch, with:',
      by: 'uses: lamp/switch, retry: { times: 2 }, with:',
      want: /steps\[1\]\.retry: expected "unknown: stop" or "unknown: retry" in words/,
    },
  ];
  for (const { says, part, by, want } of wrongs) {
    it(`a playbook is refused for ${says}`, () => {
      const lines = toldOf(part, by);
      assert.ok(
        lines.some((line) => want.test(line)),
        `expected ${String(want)}, seen:\n${lines.join('\n') || '(it loaded)'}`,
      );
    });
  }

  it('a look may be any action that reads', () => {
    assert.deepEqual(toldOf('steps:', 'diagnose: [{ id: lamps, uses: lamp/count }]\nsteps:'), []);
  });

  it('work in a running gateway: one alert is repaired and proven by the actions, another one is paged by the notifier', async (t) => {
    const dir = written(t);
    const loaded = loadConfig(join(dir, 'quench.yaml'), depsOf());
    assert.ok(loaded.ok);
    const config = loaded.value;
    const actions = createActions(toys.actions, config.actions, systemClock);
    const executor = async (): Promise<ForkedExecutor> => ({ ...localExecutor(actions), pid: process.pid });
    const troubles: unknown[] = [];
    const gateway = await startGateway(config, {
      clock: wallClock,
      logger: { info: () => {}, warn: () => {}, error: (...error) => void troubles.push(error) },
      stream: new PassThrough().resume(),
      executorEnv: {},
      version: '0.0.0-test',
      registry: toys,
      executor,
    });
    t.after(() => gateway.stop());
    const send = async (room: string): Promise<string> => {
      const body = JSON.stringify({ room, dark: true });
      const answer = await fetch(`http://127.0.0.1:${gateway.port}/webhooks/sensors`, {
        method: 'POST',
        body,
        signal: AbortSignal.timeout(5_000),
      });
      return `${answer.status} ${await answer.text()}`;
    };
    const text = (path: string): string => {
      try {
        return readFileSync(join(dir, path), 'utf8');
      } catch {
        return '';
      }
    };

    await until('what the source was asked is repaired, too', () => text('lamps/attic') === 'bright at once', 10_000);
    assert.equal(await send('kitchen'), '200 seen');
    await until('the lamp is on', () => text('lamps/kitchen') === 'bright at once', 10_000);
    assert.equal(await send('cellar'), '200 seen');
    await until('the siren sounds', () => text('siren.txt') !== '', 10_000);

    const told = JSON.parse(text('siren.txt').split('\n')[0] ?? '') as { readonly [name: string]: unknown };
    assert.deepEqual([told['kind'], told['severity'], told['voice']], ['page', 'critical', 'loud']);
    assert.match(String(told['title']), /cellar/);
    assert.equal(text('lamps/cellar'), '');
    assert.deepEqual(troubles, []);
    const seen = (measurement: string): number =>
      [...contentOf('lights').points.values()].filter((point) => point.measurement === measurement).length;
    await until('the time series tell of it', () => seen('run') === 2 && seen('page') === 1, 10_000);
    assert.equal(existsSync(join(dir, 'nowhere')), false);
  });
});

describe('what stands in the registry', () => {
  const idle: RouteDeps = {
    version: '',
    startedAt: 0,
    now: () => 0,
    patternProblem: () => null,
    firing: async () => [],
    fits: () => false,
    silences: async () => [],
    silence: () => Promise.reject(new Error('idle')),
    setSilence: async () => '',
    endSilence: async () => {},
  };

  it('has every name once, and options that are strict JSON Schema', () => {
    const lists = {
      sources: toys.sources,
      notifiers: toys.notifiers,
      actions: toys.actions,
      logs: toys.logs,
      stores: toys.stores,
      series: toys.series,
    };
    for (const [list, kinds] of Object.entries(lists)) {
      const names = kinds.map(({ name }) => name);
      assert.deepEqual(names, [...new Set(names)], list);
      for (const kind of kinds)
        if ('options' in kind) assert.doesNotThrow(() => strictAjv().compile(kind.options), `${list}: ${kind.name}`);
    }
  });

  it('is created without any options that its schema does not ask for', () => {
    for (const { name, options, create } of toys.sources) {
      if (strictAjv().validate(options, {})) assert.equal(create({}).name, name);
    }
    assert.ok(createActions(toys.actions, {}, wallClock).length > 0);
  });

  it('brings every route once', () => {
    const routes = toys.sources.flatMap((kind) => kind.routes?.routes(idle) ?? []);
    const names = routes.map(({ method, path }) => `${method} ${path}`);
    assert.ok(names.length > 0);
    assert.deepEqual(names, [...new Set(names)]);
  });
});
