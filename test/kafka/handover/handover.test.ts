// A partition with 10,000 open alerts goes from one process to another: by joining, by an orderly stop, frozen, and by SIGKILL, with alerts coming all the time.
// Every alert is decided once, and the desk is there within five seconds of the partition's coming.
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openKafka } from '../../../adapters/kafka/backbone.ts';
import type { KafkaOptions } from '../../../adapters/kafka/options.ts';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import type { AlertSeen } from '../../../src/core/alert/facts.ts';
import type { AlertDecided } from '../../../src/core/decide/facts.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Fact } from '../../../src/core/records.ts';
import { everyScope } from '../../../src/core/stamp.ts';
import { partitionOf } from '../../../src/engine/intake/scope.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import type { Backbone } from '../../../src/ports/backbone.ts';
import type { LogRecord } from '../../../src/ports/event-log.ts';
import type { Store } from '../../../src/ports/store.ts';
import { eventOf } from '../../support/event.ts';
import { policyOf } from '../../support/policy.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { steady, type Heard } from './gateway.ts';

const program = fileURLToPath(new URL('./gateway.ts', import.meta.url));
const openAlerts = 10_000;
const loadWithinMs = 5_000;
const partitions = 2;
/** The one that moves: of two that it has, a member keeps the lower. */
const moving = 1;
const perBatch = 250;
const everyMs = 25;
const restMs = 200;

interface Gateway {
  readonly heard: Heard[];
  readonly child: ChildProcess;
}

const presence = kafkaPresence({ own: true });

describe('a partition with ten thousand open alerts', { skip: presence.skip }, () => {
  const scopes = Array.from({ length: 1_000 }, (_, nth) => `team${nth}`)
    .filter((scope) => partitionOf(scope, partitions) === moving)
    .slice(0, 8);
  const dir = mkdtempSync(join(tmpdir(), 'quench-handover-'));
  const children: ChildProcess[] = [];
  /** When each alert was sent and when it was first seen decided. */
  const sentAt = new Map<string, number>();
  const decidedAt = new Map<string, number>();
  let cluster: KafkaCluster;
  let options: KafkaOptions;
  let local: Store;
  let backbone: Backbone;
  let reading: Promise<void>;
  let trickling: Promise<void> = Promise.resolve();
  let over = false;
  let names = 0;
  let sent = 0;

  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1 });
    options = { brokers: cluster.bootstrap, partitions, replication: 1 };
    local = await sqliteStore({ path: join(dir, 'quench.db'), partitions, limits: sqliteLimits, clock: systemClock });
    const logger = { info: () => {}, warn: console.warn, error: console.error };
    const watch = { appended: () => {}, rebalanced: () => {} };
    backbone = await openKafka(options, { clock: systemClock, logger, watch, local, instance: 'test', retentionMs: 86_400_000 });
    for (let partition = 0; partition < partitions; partition += 1) {
      const policy = { type: 'PolicyPublished', scope: everyScope, at: Date.now(), policy: policyOf() };
      await backbone.log.append('inputs', { partition, scope: everyScope, values: [policy] });
    }
    reading = read();
  });
  after(async () => {
    over = true;
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await Promise.all([reading, trickling]);
    await backbone.close();
    await local.close();
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** As the gateways' own readers: a log that is away is asked again. */
  async function factsFrom(offset: number): Promise<readonly LogRecord[]> {
    for (;;) {
      try {
        return await backbone.log.read('facts', moving, offset, 1_000);
      } catch (error) {
        if (!isAway(error)) throw error;
        await sleep(restMs);
      }
    }
  }

  async function read(): Promise<void> {
    const stop = backbone.log.watch('facts', moving, () => {});
    for (let at = 0; !over;) {
      const records = await factsFrom(at);
      const now = steady();
      for (const { value } of records) {
        const fact = value as Fact; // written by hosts only
        if (fact.type === 'AlertDecided' && !decidedAt.has(fact.delivery)) decidedAt.set(fact.delivery, now);
      }
      at = (records.at(-1)?.offset ?? at - 1) + 1;
      if (records.length === 0) await sleep(5);
    }
    stop();
  }

  function gateway(): Gateway {
    names += 1;
    const heard: Heard[] = [];
    const child = fork(program, [JSON.stringify({ options, instance: `gateway${names}` })], { execArgv: [] });
    child.on('message', (one) => heard.push(one as Heard)); // from gateway.ts
    children.push(child);
    return { heard, child };
  }

  /** That many new alerts of one scope, in one batch. */
  async function send(many: number): Promise<void> {
    const scope = scopes[sent % scopes.length] ?? assert.fail();
    const at = Date.now();
    const values = Array.from({ length: many }, (): AlertSeen => {
      sent += 1;
      const entity = { host: `h${sent}`, service: `s${sent}` };
      sentAt.set(`d${sent}`, steady());
      const event = eventOf({ name: `Down${sent}`, entity, startedAt: at, observedAt: at });
      return { type: 'AlertSeen', scope, at, endpoint: 'test', delivery: `d${sent}`, index: 0, event };
    });
    await backbone.log.append('inputs', { partition: moving, scope, values });
  }

  async function trickle(): Promise<void> {
    while (!over) {
      try {
        await send(1);
      } catch (error) {
        if (!isAway(error)) throw error;
        sentAt.delete(`d${sent}`); // in doubt: may be decided, and need not be
      }
      await sleep(everyMs);
    }
  }

  function allDecided(): boolean {
    return [...sentAt.keys()].every((delivery) => decidedAt.has(delivery));
  }

  async function until(expected: string, holds: () => boolean, withinMs = 30_000): Promise<void> {
    const endsAt = steady() + withinMs;
    while (!holds()) {
      assert.ok(steady() < endsAt, `not within ${withinMs} ms: ${expected}; sent ${sent}, decided ${decidedAt.size}`);
      await sleep(10);
    }
  }

  function heardAt(gate: Gateway, what: Heard['what']): number | null {
    return gate.heard.findLast((one) => one.what === what && one.partition === moving)?.at ?? null;
  }

  /** Waits until `to` has it and decides again; asserts and prints how long that took. */
  async function moved(how: string, to: Gateway, beganAt: number): Promise<void> {
    await until(`${how}: it comes`, () => (heardAt(to, 'gained') ?? 0) > beganAt);
    const gainedAt = heardAt(to, 'gained') ?? assert.fail();
    await until(`${how}: it is begun`, () => (heardAt(to, 'began') ?? 0) > gainedAt);
    const begun = heardAt(to, 'began') ?? assert.fail();
    const firstAfter = (): number | undefined => [...sentAt].find(([delivery, when]) => when > gainedAt && decidedAt.has(delivery))?.[1];
    await until(`${how}: the next alert is decided`, () => firstAfter() !== undefined);
    const deciding = Math.min(...[...decidedAt].filter(([delivery]) => (sentAt.get(delivery) ?? 0) > gainedAt).map(([, when]) => when));
    const ms = (from: number, till: number): string => `${Math.round(till - from)} ms`;
    console.log(
      `# handover: ${how}: gained after ${ms(beganAt, gainedAt)}, desks loaded ${ms(gainedAt, begun)} later, ` +
        `next alert decided ${ms(gainedAt, deciding)} after gained, ${ms(beganAt, deciding)} in all`,
    );
    assert.ok(
      deciding - gainedAt <= loadWithinMs,
      `${how}: decided ${ms(gainedAt, deciding)} after it came, expected ${loadWithinMs} ms at most`,
    );
  }

  async function ends(gate: Gateway): Promise<void> {
    if (gate.child.exitCode === null && gate.child.signalCode === null) await once(gate.child, 'exit');
  }

  test('moves with its desk within five seconds: by a stop, to one that joins, away from one that is frozen and back, and after a SIGKILL', async () => {
    const staying = gateway();
    await until('the first has it', () => heardAt(staying, 'began') !== null);
    const first = gateway();
    await until('the second has it', () => heardAt(first, 'began') !== null);
    while (sent < openAlerts) await send(perBatch);
    await until('all is decided', allDecided, 60_000);
    trickling = trickle();

    let began = steady();
    first.child.send('stop');
    await moved('stopped in order', staying, began);
    await ends(first);
    assert.equal(first.child.exitCode, 0, JSON.stringify(first.heard.slice(-5)));

    began = steady();
    const second = gateway();
    await moved('to one that joins', second, began);

    began = steady();
    second.child.kill('SIGSTOP');
    await moved('frozen', staying, began);
    began = steady();
    second.child.kill('SIGCONT');
    await moved('back to the one that was frozen', second, began);

    began = steady();
    second.child.kill('SIGKILL');
    await moved('killed', staying, began);
  });

  test('and no alert of it was passed over, none was decided twice, and no fact contradicts another', async () => {
    over = true;
    await Promise.all([trickling, reading]);
    over = false;
    reading = read();
    await until('all is decided', allDecided);

    const marks = new Map<string, Fact[]>();
    const decided = new Map<string, number>();
    let repeats = 0;
    const end = await backbone.log.end('facts', moving);
    for (let offset = 0; offset < end;) {
      const records = await factsFrom(offset);
      for (const { value } of records) {
        const fact = value as Fact; // written by hosts only
        const story = marks.get(fact.scope) ?? [];
        marks.set(fact.scope, story);
        const first = story[fact.seq - 1];
        if (first !== undefined) {
          repeats += 1;
          assert.deepEqual(fact, first, `two facts ${fact.seq} of ${fact.scope}`);
          continue;
        }
        assert.equal(fact.seq, story.length + 1, `a gap in ${fact.scope}`);
        story.push(fact);
        if (fact.type === 'AlertDecided') count(decided, fact);
      }
      offset = (records.at(-1)?.offset ?? end) + 1;
    }

    console.log(`# handover: ${sent} alerts, ${end} facts, ${repeats} of them repeats`);
    assert.deepEqual(
      [...sentAt.keys()].filter((delivery) => !decided.has(delivery)),
      [],
      'passed over',
    );
    for (const [delivery, times] of decided) assert.equal(times, 1, `${delivery} was decided ${times} times`);
  });
});

function isAway(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'log_unavailable';
}

function count(decided: Map<string, number>, { delivery }: AlertDecided): void {
  decided.set(delivery, (decided.get(delivery) ?? 0) + 1);
}
