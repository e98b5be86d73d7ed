// SIGHUP to a gateway of its own process: what may change is in force afterwards, what may not changes nothing, and it never ends.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import { systemClock } from '../../src/gateway/clock.ts';
import { configDeps } from '../../src/gateway/config-deps.ts';
import { createLive } from '../../src/gateway/live.ts';
import { createReload } from '../../src/gateway/reload.ts';
import { troubleOf } from '../../src/gateway/config-trouble.ts';
import { houseFiles, openHouse, scratch, write } from './support.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const house = `${houseFiles()['quench.yaml'] ?? ''}reload: asked\n`;
const withinMs = 20_000;

let place: ReturnType<typeof scratch>;
let gateway: ChildProcess;
let url = '';
let said = '';
before(async () => {
  place = scratch();
  write(place.dir, { ...houseFiles(), 'quench.yaml': house });
  gateway = spawn(process.execPath, [program, 'serve', '--config', place.dir], { cwd: place.dir, env: { PATH: '/usr/bin:/bin' } });
  gateway.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  gateway.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(() => /listens on (\S+)/.test(said));
  url = /listens on (\S+)/.exec(said)?.[1] ?? '';
});
after(async () => {
  if (gateway.exitCode === null && gateway.kill('SIGTERM')) await once(gateway, 'exit');
  place.remove();
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`not within ${withinMs} ms: ${said}`);
    await sleep(20);
  }
}

/** Hangs up, and gives what the gateway said about it, up to the line that says how it ended. */
async function hangUp(): Promise<string> {
  const from = said.length;
  gateway.kill('SIGHUP');
  await until(() => / (?:reloaded|not reloaded): .*\n/.test(said.slice(from)));
  return said.slice(from);
}

async function playbooks(): Promise<readonly string[]> {
  const answer = await fetch(`${url}/api/v1/playbooks`, { headers: { authorization: 'Bearer token-of-admin' } });
  const { items } = (await answer.json()) as { readonly items: readonly { readonly name: string }[] };
  return items.map(({ name }) => name).sort();
}

describe('B23: quench reload', () => {
  it('puts what changed in force and names it; what is wrong is listed, and ends with 1', async () => {
    const own = await openHouse();
    try {
      assert.match((await own.ask(['reload'])).err, /nothing has changed: policy [0-9a-f]{12}, 2 playbooks/);
      write(own.dir, { 'playbooks/more.yaml': (houseFiles()['playbooks/ask.yaml'] ?? '').replace('name: ask', 'name: more') });
      const done = await own.ask(['reload']);
      assert.equal(done.exit, 0);
      assert.match(done.err, /reloaded: policy [0-9a-f]{12}, 3 playbooks; changed: policy/);
      write(own.dir, { 'playbooks/more.yaml': 'name: [half' });
      const refused = await own.ask(['reload']);
      assert.equal(refused.exit, 1);
      assert.match(refused.err, /not reloaded: what was in force stays in force[^]*more\.yaml:1:\d+/);
      const told: unknown = JSON.parse((await own.ask(['reload', '-o', 'json'])).out);
      assert.equal((told as { outcome: string }).outcome, 'does_not_load');
      assert.equal((await own.ask(['reload'], { env: { QUENCH_TOKEN: 'token-of-rita' } })).exit === 0, false);
    } finally {
      await own.stop();
    }
  });
});

describe('B23: files that change', () => {
  it('are in force by themselves, and a half-written one never is', { timeout: 60_000 }, async () => {
    const own = scratch();
    write(own.dir, { ...houseFiles(), 'quench.yaml': house.replace('reload: asked', 'reload: auto') });
    const child = spawn(process.execPath, [program, 'serve', '--config', own.dir], { cwd: own.dir, env: { PATH: '/usr/bin:/bin' } });
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    try {
      await until(() => /listens on (\S+)/.test(told));
      write(own.dir, { 'playbooks/more.yaml': (houseFiles()['playbooks/ask.yaml'] ?? '').replace('name: ask', 'name: more') });
      await until(() => / info reloaded: .* playbooks=3/.test(told));
      write(own.dir, { 'playbooks/more.yaml': 'name: [half' });
      await until(() => / error not reloaded: the configuration does not load/.test(told));
      assert.equal(told.match(/ info reloaded: /g)?.length, 1);
    } finally {
      if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
      own.remove();
    }
  });
});

describe('SIGHUP', () => {
  it('puts a new playbook in force', async () => {
    assert.deepEqual(await playbooks(), ['ask', 'fail']);
    write(place.dir, { 'playbooks/more.yaml': (houseFiles()['playbooks/ask.yaml'] ?? '').replace('name: ask', 'name: more') });
    assert.match(await hangUp(), / info reloaded: .* playbooks=3/);
    await until(async () => (await playbooks()).join() === 'ask,fail,more');
  });

  it('keeps what was in force when the files do not load, and says every problem', async () => {
    write(place.dir, { 'playbooks/wrong.yaml': 'nothing\n', 'quench.yaml': `${house}settel: 3s\n` });
    const told = await hangUp();
    assert.match(told, / error not reloaded problem="[^"]*quench\.yaml:\d+:1: .*settel/);
    assert.match(told, / error not reloaded problem="[^"]*wrong\.yaml:1:1: /);
    assert.match(told, / error not reloaded: the configuration does not load; what was in force stays in force problems=2/);
    assert.equal((await playbooks()).length, 3);
  });

  it('changes nothing when only a restart can take the change, and names it', async () => {
    write(place.dir, {
      'playbooks/wrong.yaml': (houseFiles()['playbooks/ask.yaml'] ?? '').replace('name: ask', 'name: fourth'),
      'quench.yaml': house.replace('allow: [/usr/bin/true, ', 'allow: [/usr/bin/id, /usr/bin/true, '),
    });
    assert.match(await hangUp(), / error not reloaded: what changed needs a restart of the gateway; .* changed=\["actions"\]/);
    assert.equal((await playbooks()).length, 3);
  });

  it('one at a time: what is asked for meanwhile is one more, behind it', async () => {
    write(place.dir, { 'quench.yaml': house });
    const load = () => loadConfig(join(place.dir, 'quench.yaml'), configDeps({}, diskFiles, createExpressions(), systemClock));
    const config = load();
    assert.ok(config.ok);
    let [underWay, most, published] = [0, 0, 0];
    const publish = async (): Promise<void> => {
      most = Math.max(most, (underWay += 1));
      await sleep(20);
      underWay -= 1;
      published += 1;
    };
    const quiet = (): void => {};
    const live = createLive(
      config.value,
      {
        byName: new Map(),
        create: () => ({ deliver: async () => ({ outcome: 'accepted', detail: '' }) }),
      },
      { learn: quiet },
    );
    const logger = { info: quiet, warn: quiet, error: quiet };
    const reload = createReload({ live, load, publish, logger, trouble: troubleOf() });
    await Promise.all([reload(), reload(), reload(), reload()]);
    assert.deepEqual([most, published], [1, 2]);
    await reload();
    assert.equal(published, 3);
  });

  it('a gateway that loads the file again from its directory finds the same policy: nothing new goes to the log', async () => {
    const answer = async (): Promise<unknown> => {
      const seen = await fetch(`${url}/api/v1/log`, { headers: { authorization: 'Bearer token-of-admin' } });
      return ((await seen.json()) as { readonly partitions: readonly { readonly inputs: unknown }[] }).partitions[0]?.inputs;
    };
    assert.match(await hangUp(), / info reloaded: .* playbooks=4/);
    await until(async () => (await playbooks()).length === 4);
    const stood = await answer();
    assert.match(await hangUp(), / info reloaded: /);
    assert.deepEqual(await answer(), stood);
  });
});
