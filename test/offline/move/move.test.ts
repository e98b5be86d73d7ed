// A lone gateway's data on a log of four partitions: the new gateways go on where the old one stood, and tell nobody twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDisk, type MemoryDisk } from '../../../adapters/memory/disk.ts';
import { memoryStore } from '../../../adapters/memory/store.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Fact } from '../../../src/core/records.ts';
import { minute, second } from '../../../src/core/time.ts';
import { partitionOf } from '../../../src/engine/intake/scope.ts';
import type { Moved } from '../../../src/cli/results.ts';
import { move, type MoveParts } from '../../../src/offline/move/move.ts';
import type { Backbone } from '../../../src/ports/backbone.ts';
import type { DeadLetter } from '../../../src/ports/dead-letters.ts';
import type { Store } from '../../../src/ports/store.ts';
import { virtualClock, type VirtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';
import { policyOf } from '../../support/policy.ts';
import { wallClock } from '../../support/wallclock.ts';
import { backboneOf, expressions, factsOn, running, type Running } from '../gateway.ts';

const partitions = 4;
const scopes = ['acme', 'acme;team=db', 'acme;team=web', 'beta', 'gamma', 'delta'];
const policy = policyOf({ holdOffMs: 0, settleMs: 0 });

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;
const all = <T extends Fact['type']>(facts: readonly Fact[], type: T): readonly FactOf<T>[] =>
  facts.filter((fact): fact is FactOf<T> => fact.type === type);

const letter = (id: string): DeadLetter => ({
  id,
  at: 1,
  endpoint: 'hook',
  source: 'test',
  reason: 'not_json',
  message: 'expected JSON',
  headers: {},
  body: '{',
  path: '',
  state: 'waiting',
});

/** A gateway in which each scope has an open incident whose page has rung once. */
async function inUse(clock: VirtualClock): Promise<{ readonly disk: MemoryDisk; readonly gateway: Running }> {
  const disk = memoryDisk();
  const gateway = await running(disk, 1, clock, policy);
  for (const scope of scopes) await gateway.see(scope, eventOf({ startedAt: clock.now(), observedAt: clock.now() }));
  await clock.forward(second);
  return { disk, gateway };
}

async function atRest(clock: VirtualClock): Promise<{ readonly disk: MemoryDisk; readonly told: number }> {
  const { disk, gateway } = await inUse(clock);
  await gateway.store.deadLetters.add(letter('d1'));
  await gateway.store.deadLetters.add(letter('d2'));
  await gateway.store.deadLetters.mark('d1', 'replayed');
  const told = gateway.told.length;
  assert.equal(told, scopes.length, 'each page has rung its first rung');
  await gateway.stop();
  return { disk, told };
}

const open = (disk: MemoryDisk, count: number): Store => memoryStore({ disk, partitions: count, clock: wallClock });

async function moved(source: MemoryDisk, target: MemoryDisk, change: Partial<MoveParts> = {}): Promise<Moved> {
  const from = open(source, 1);
  const to = open(target, partitions);
  try {
    return await move({
      source: from,
      target: backboneOf(to),
      expressions,
      clock: wallClock,
      dryRun: false,
      signal: new AbortController().signal,
      progress: () => {},
      ...change,
    });
  } finally {
    await from.close();
    await to.close();
  }
}

/** As it lies on another log: the input that it names is not there. */
function placeless(fact: Fact): Fact {
  return fact.type === 'AlertDecided' ? { ...fact, offset: -1 } : fact;
}

const isEmpty = ({ content }: MemoryDisk): boolean =>
  content.slots.values().every((slot) => slot.end === 0) &&
  content.desks.size === 0 &&
  content.cursors.size === 0 &&
  content.letters.size === 0;

test('M2: every desk and every fact is on the partition of its scope, what concerns all on every one, and the same when read back', async () => {
  const clock = virtualClock();
  const { disk } = await atRest(clock);
  const target = memoryDisk();
  const report = await moved(disk, target);

  assert.deepEqual([report.ok, report.deadLetters, report.different, report.forgotten], [true, 2, [], 0]);
  assert.ok(report.partitions.every(({ equal }) => equal === true));
  const [from, to] = [open(disk, 1), open(target, partitions)];
  const before = await factsOn(from);
  for (const scope of [...scopes, '*']) {
    const places = scope === '*' ? [0, 1, 2, 3] : [partitionOf(scope, partitions)];
    for (let partition = 0; partition < partitions; partition += 1) {
      const found = (await to.log.read('facts', partition, 0, 10_000)).filter((record) => record.scope === scope);
      const wanted = places.includes(partition) ? before.filter((fact) => fact.scope === scope) : [];
      assert.deepEqual(
        found.map(({ value }) => value),
        wanted.map(placeless),
        `${scope} on ${partition}`,
      );
    }
  }
  for (let partition = 0; partition < partitions; partition += 1) {
    const end = await to.log.end('facts', partition);
    assert.deepEqual(await to.checkpoints.load(partition, () => {}), { inputs: 0, facts: end });
    assert.equal(await to.cursors.load('effects', partition), end);
  }
  const letters = await to.deadLetters.list({ limit: 10 });
  assert.deepEqual(
    letters.letters.map(({ id, state }) => [id, state]),
    [
      ['d2', 'waiting'],
      ['d1', 'replayed'],
    ],
  );
});

test('a gateway on the target goes on: a repeat joins its incident, an ack counts, a page climbs when it is due, nobody is told twice', async () => {
  const clock = virtualClock();
  const { disk } = await atRest(clock);
  const target = memoryDisk();
  await moved(disk, target);
  const next = await running(target, partitions, clock, policy);
  const before = await next.facts();
  assert.equal(next.service.load().waits > 0, true, 'waits are armed again');
  assert.equal(next.service.policy()?.digest, policy.digest);
  assert.deepEqual(
    await Promise.all([0, 1, 2, 3].map((one) => next.store.log.end('inputs', one))),
    [0, 0, 0, 0],
    'the policy is in force already',
  );

  for (const scope of scopes) await next.see(scope, eventOf({ startedAt: clock.now(), observedAt: clock.now() }));
  await clock.forward(second);
  const since = (await next.facts()).filter((fact) => !before.some((old) => old.scope === fact.scope && old.seq === fact.seq));
  assert.deepEqual(all(since, 'IncidentOpened'), []);
  for (const scope of scopes) {
    const opened = all(before, 'IncidentOpened').find((fact) => fact.scope === scope);
    const decided = all(since, 'AlertDecided').find((fact) => fact.scope === scope);
    assert.deepEqual([decided?.change, decided?.incident], ['repeated', opened?.incident]);
  }
  assert.deepEqual(next.told, [], 'a repeat and a start tell nobody anything');

  const [acked = '', ...others] = all(before, 'IncidentOpened').map(({ incident }) => incident);
  await next.intake.submit({ type: 'Acked', scope: acked.slice(acked.indexOf('.') + 1), incident: acked, by: 'ann', via: 'test' });
  await clock.forward(5 * minute);
  const [rung, word] = [next.told.filter(({ kind }) => kind !== 'acknowledged'), next.told.filter(({ kind }) => kind === 'acknowledged')];
  assert.deepEqual(rung.map(({ incident }) => incident).sort(), [...others].sort(), 'the second rung, five minutes after the first');
  assert.deepEqual(
    word.map(({ incident }) => incident),
    [acked],
    'who was told hears who has it',
  );
  const shown = await next.store.views.get('incident', acked, 'all');
  assert.equal(shown?.state, 'acknowledged', 'the read model is made anew from the moved facts');
  await next.stop();
});

test('an alert of before has no delivery on the new log, rather than one of somebody else', async () => {
  const clock = virtualClock();
  const { disk } = await atRest(clock);
  const target = memoryDisk();
  await moved(disk, target);
  const next = await running(target, partitions, clock, policy);
  const alerts = await next.store.views.list({ kind: 'alert', scopes: 'all', limit: 10 });
  assert.equal(alerts.items.length, scopes.length);
  for (const { input } of alerts.items) assert.match(String(input), /^\d:-1$/);
  await next.stop();
});

test('M1: inputs that nobody has turned stop the move before anything is written', async () => {
  const clock = virtualClock();
  const { disk } = await atRest(clock);
  const late = open(disk, 1);
  const event = eventOf({ name: 'Late' });
  const values = [{ type: 'AlertSeen', scope: 'acme', at: clock.now(), endpoint: 'test', delivery: '', index: 0, event }];
  await late.log.append('inputs', { partition: 0, scope: 'acme', values });
  await late.close();
  const target = memoryDisk();
  await assert.rejects(moved(disk, target), { code: 'state_conflict', message: /not decided yet: start that gateway once more/ });
  assert.ok(isEmpty(target));
});

test('M1: facts that the checkpoint does not cover stop it, too', async () => {
  const clock = virtualClock();
  const { disk, gateway } = await inUse(clock);
  for (const name of ['Saved', 'Unsaved']) await gateway.see('acme', eventOf({ name, startedAt: clock.now() }));
  disk.crash();
  const desk = disk.content.desks.get(0);
  assert.ok(desk === undefined || desk.mark.facts < (disk.content.slots.get('facts/0')?.end ?? 0), 'it died ahead of its checkpoint');
  await assert.rejects(moved(disk, memoryDisk()), { code: 'state_conflict', message: /not decided yet/ });
});

test('an input behind the checkpoint that changes nothing stops nobody', async () => {
  const clock = virtualClock();
  const { disk } = await atRest(clock);
  const late = open(disk, 1);
  await late.log.append('inputs', {
    partition: 0,
    scope: 'acme',
    values: [{ type: 'Woke', scope: 'acme', at: clock.now(), token: 'nobody waits for it' }],
  });
  await late.close();
  assert.equal((await moved(disk, memoryDisk())).ok, true);
});

test('M3: a request that effects have not passed stops the move; what has its answer does not', async () => {
  const clock = virtualClock();
  const { disk } = await atRest(clock);
  disk.content.cursors.clear();
  assert.equal((await moved(disk, memoryDisk())).ok, true, 'every request is answered');

  const source = open(disk, 1);
  const last = all(await factsOn(source), 'NotifyRequested').at(-1);
  const end = await source.log.end('facts', 0);
  await source.log.append('facts', { partition: 0, scope: last?.scope ?? '', values: [{ ...last, seq: 9_999, attempt: 7 }] });
  await source.checkpoints.load(0, () => {});
  await source.checkpoints.save(0, { inputs: await source.log.end('inputs', 0), facts: end + 1 }, []);
  await source.close();
  const target = memoryDisk();
  await assert.rejects(moved(disk, target), {
    code: 'state_conflict',
    message: /still to do what was decided \(notification .*attempt 7\)/,
  });
  assert.ok(isEmpty(target));
});

test('M1: a target that holds anything is refused, and the message says what to do', async () => {
  const { disk } = await atRest(virtualClock());
  for (const topic of ['inputs', 'facts'] as const) {
    const target = memoryDisk();
    const used = open(target, partitions);
    await used.log.append(topic, { partition: 3, scope: 's', values: [{ type: 'Woke' }] });
    await used.close();
    await assert.rejects(moved(disk, target), { code: 'state_conflict', message: /not empty \(.* of partition 3 end at 1\).*new prefix/ });
    assert.equal(target.content.desks.size, 0);
  }
  const twice = memoryDisk();
  await moved(disk, twice);
  await assert.rejects(moved(disk, twice), { code: 'state_conflict', message: /not empty/ });
});

test('M1: a log that seemed empty when it was opened gives itself away by the first offset', async () => {
  const { disk } = await atRest(virtualClock());
  const target = memoryDisk();
  const used = open(target, partitions);
  for (let partition = 0; partition < partitions; partition += 1)
    await used.log.append('facts', { partition, scope: 's', values: [{ type: 'Old', seq: 1 }] });
  const backbone: Backbone = backboneOf(used);
  const deaf: Backbone = { ...backbone, log: { ...used.log, end: async () => 0 } };
  const other = open(memoryDisk(), partitions);
  await assert.rejects(moved(disk, memoryDisk(), { target: deaf }), { code: 'state_conflict', message: /written at 1, expected 0/ });
  assert.equal(target.content.desks.size, 0);
  await used.close();
  await other.close();
});

test('a target that does not answer is waited for, and told when it stays away', async () => {
  const { disk } = await atRest(virtualClock());
  const store = open(memoryDisk(), partitions);
  let asked = 0;
  const slow: Backbone = { ...backboneOf(store), problem: () => ((asked += 1) < 4 ? 'no broker' : null) };
  const quick = { ...wallClock, after: (_span: number, call: () => void) => wallClock.after(0, call) };
  assert.equal((await moved(disk, memoryDisk(), { target: slow, clock: quick })).ok, true);
  assert.equal(asked, 4);
  let now = 0;
  const late = { ...quick, steady: () => (now += 10_000) };
  const away: Backbone = { ...backboneOf(store), problem: () => 'no broker answers' };
  await assert.rejects(moved(disk, memoryDisk(), { target: away, clock: late }), { code: 'log_unavailable', message: /no broker answers/ });
  await store.close();
});

test('a target answers when its log does: that no problem is known yet is not enough, and only what may pass is waited for', async () => {
  const { disk } = await atRest(virtualClock());
  const store = open(memoryDisk(), partitions);
  const backbone = backboneOf(store);
  const quick = { ...wallClock, after: (_span: number, call: () => void) => wallClock.after(0, call) };
  let asked = 0;
  const failing = (code: 'log_unavailable' | 'invalid_config', times: number): Backbone => ({
    ...backbone,
    log: {
      ...store.log,
      end: async (topic, partition) => {
        if ((asked += 1) <= times) throw new GatewayError(code, 'no leader');
        return store.log.end(topic, partition);
      },
    },
  });
  await assert.rejects(moved(disk, memoryDisk(), { target: failing('invalid_config', 1), clock: quick }), { code: 'invalid_config' });
  assert.equal(asked, 1);
  asked = 0;
  assert.equal((await moved(disk, memoryDisk(), { target: failing('log_unavailable', 3), clock: quick })).ok, true);
  await store.close();
});

test('a move that breaks off behind its first record says that the target is half written, and what to do; before it there is nothing to say', async () => {
  const { disk } = await atRest(virtualClock());
  const says = /broke off half-way; do not start a gateway on the target: delete its topics/;
  const broken = async (change: (backbone: Backbone, stop: AbortController) => Backbone): Promise<string> => {
    const store = open(memoryDisk(), partitions);
    const stop = new AbortController();
    const told: string[] = [];
    const target = change(backboneOf(store), stop);
    await assert.rejects(
      moved(disk, memoryDisk(), { target, signal: stop.signal, progress: (text) => void told.push(text) }),
      /away|aborted/,
    );
    await store.close();
    return told.join('\n');
  };
  const away = async (): Promise<never> => {
    throw new GatewayError('log_unavailable', 'the brokers are away');
  };
  assert.match(await broken((to) => ({ ...to, log: { ...to.log, append: away } })), says);
  assert.match(await broken((to) => ({ ...to, checkpoints: { ...to.checkpoints, save: away } })), says);
  assert.match(await broken((to) => ({ ...to, deadLetters: { ...to.deadLetters, add: away } })), says);

  let saves = 0;
  const interrupted = await broken((to, stop) => {
    const save: Backbone['checkpoints']['save'] = async (...desk) => {
      saves += 1;
      stop.abort();
      await to.checkpoints.save(...desk);
    };
    return { ...to, checkpoints: { ...to.checkpoints, save } };
  });
  assert.match(interrupted, says);
  assert.equal(saves, 1, 'Ctrl-C ends it behind the desks of one partition');

  let reads = 0;
  const unread = await broken((to, stop) => {
    const read: Backbone['log']['read'] = async (...place) => {
      reads += 1;
      stop.abort();
      return to.log.read(...place);
    };
    return { ...to, log: { ...to.log, read } };
  });
  assert.match(unread, says);
  assert.equal(reads, 1, 'and ends the reading back');

  const full = await broken((to) => ({ ...to, log: { ...to.log, end: async () => Promise.reject(new Error('away')) } }));
  assert.doesNotMatch(full, /half-way/);
});

test('M2: a target that loses a row or a fact is found out', async () => {
  const { disk } = await atRest(virtualClock());
  const store = open(memoryDisk(), partitions);
  const backbone = backboneOf(store);
  const forgetful: Backbone = {
    ...backbone,
    checkpoints: {
      load: (partition, take) =>
        backbone.checkpoints.load(partition, (rows) => take(rows.filter(({ scope, table }) => scope !== 'beta' || table !== 'incidents'))),
      save: (partition, mark, rows) => backbone.checkpoints.save(partition, mark, rows),
    },
    log: {
      ...store.log,
      read: async (topic, partition, offset, max) =>
        (await store.log.read(topic, partition, offset, max)).filter(({ scope, offset: at }) => scope !== 'gamma' || at % 2 === 0),
    },
  };
  const report = await moved(disk, memoryDisk(), { target: forgetful });
  assert.deepEqual([report.ok, report.different], [false, ['beta', 'gamma']]);
  assert.ok(report.partitions.some(({ equal }) => equal === false));
  await store.close();
});

test('a dry run looks at everything and writes nothing', async () => {
  const { disk } = await atRest(virtualClock());
  const target = memoryDisk();
  const told: string[] = [];
  const dry = await moved(disk, target, { dryRun: true, progress: (text) => void told.push(text) });
  assert.equal(told.at(-1), 'no record was written');
  assert.ok(isEmpty(target));
  const wet = await moved(disk, target);
  assert.deepEqual(
    dry.partitions.map((one) => ({ ...one, equal: true })),
    wet.partitions,
  );
  assert.deepEqual([dry.dryRun, dry.deadLetters, wet.dryRun], [true, 2, false]);
});

test('nothing to move is said, not done', async () => {
  await assert.rejects(moved(memoryDisk(), memoryDisk()), { code: 'state_conflict', message: /nothing to move/ });
});
