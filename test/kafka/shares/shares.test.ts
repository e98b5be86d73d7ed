// Partitions shared out by a real coordinator: who has which, who is told what, and that nobody believes to hold what another can have.
// Sessions are short (1.5 s), so that a dead member is noticed soon, and longer (6 s) where a member that is only slow must not be missed.
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../../adapters/kafka/client.ts';
import { topicKeeper } from '../../../adapters/kafka/topics.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { partitions, sessionMs, startMember, steady, type Said } from './member.ts';
import { startWire, type Wire } from './wire.ts';

const program = fileURLToPath(new URL('./member.ts', import.meta.url));
const settleMs = 60_000;

interface Member {
  readonly name: string;
  readonly story: Said[];
  /** Null for one that lives in this process. */
  readonly child: ChildProcess | null;
  stop(): Promise<void>;
}

interface Group {
  readonly members: Member[];
  here(name: string): Promise<Member>;
  apart(name: string, wire?: Wire): Member;
}

const presence = kafkaPresence({ own: true });

describe('partitions shared out', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  let groups = 0;
  const ends: (() => Promise<void>)[] = [];
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1 });
  });
  after(() => cluster.stop());
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  async function newGroup(more: { readonly sessionMs?: number } = {}): Promise<Group> {
    groups += 1;
    const prefix = `s${process.pid}-${groups}.`;
    const brokers = cluster.bootstrap;
    const logger = { info: () => {}, warn: console.warn, error: console.error };
    const maker = createClient(
      { brokers, topicPrefix: prefix, partitions, replication: 1 },
      { clock: systemClock, logger, instance: 'maker' },
    );
    await topicKeeper(maker, 86_400_000)();
    const members: Member[] = [];
    const add = (member: Member): Member => {
      members.push(member);
      ends.push(member.stop);
      return member;
    };
    return {
      members,
      async here(name) {
        const story: Said[] = [];
        const member = await startMember({ brokers, prefix, instance: name, ...more }, (said) => story.push(said));
        let stopped: Promise<void> | null = null;
        return add({ name, story, child: null, stop: () => (stopped ??= member.stop()) });
      },
      apart(name, wire) {
        const story: Said[] = [];
        const through = wire === undefined ? {} : { through: wire.port };
        const child = fork(program, [JSON.stringify({ brokers, prefix, instance: name, ...through, ...more })], { execArgv: [] });
        child.on('message', (said) => story.push(said as Said)); // from member.ts
        return add({ name, story, child, stop: () => endOf(child) });
      },
    };
  }

  async function newWire(): Promise<Wire> {
    const wire = await startWire(cluster.broker(1).port);
    ends.push(wire.close);
    return wire;
  }

  test('members that come take their share, those that go give it back, and nothing else moves', async () => {
    const group = await newGroup({ sessionMs: 6_000 });
    const a = await group.here('a');
    await settled(group, [a]);
    const b = await group.here('b');
    await settled(group, [a, b]);
    assert.deepEqual([told(a, 'gained').length, told(a, 'lost').length, told(b, 'gained').length], [6, 3, 3]);

    const c = await group.here('c');
    await settled(group, [a, b, c]);
    assert.deepEqual([told(a, 'gained').length, told(a, 'lost').length], [6, 4]);
    assert.deepEqual([told(b, 'gained').length, told(b, 'lost').length], [3, 1]);
    assert.deepEqual([told(c, 'gained').length, told(c, 'lost').length], [2, 0]);

    const left = steady();
    await b.stop();
    await settled(group, [a, c]);
    print('moved after a member has left in order', steady() - left);
    assert.deepEqual([told(a, 'gained').length, told(a, 'lost').length], [7, 4]);
    assert.deepEqual([told(c, 'gained').length, told(c, 'lost').length], [3, 0]);
    assertOneHolder(group);
    assertInTurns(group);
  });

  test('a member that is killed is missed after its session, and the others keep what they have', async () => {
    const group = await newGroup({ sessionMs: 6_000 });
    const [a, b, c] = [group.apart('a'), group.apart('b'), group.apart('c')];
    await settled(group, [a, b, c]);
    const kept = [told(a, 'lost').length, told(c, 'lost').length];

    const killed = steady();
    b.child?.kill('SIGKILL');
    await settled(group, [a, c]);

    print('moved after a member was killed', steady() - killed);
    assert.deepEqual([told(a, 'lost').length, told(c, 'lost').length], kept);
    assertOneHolder(group, new Map([[b, killed]]));
    assertInTurns(group);
  });

  test('H1: a member that was frozen past its session holds nothing from its first moment awake', async () => {
    const group = await newGroup();
    const [a, b] = [group.apart('a'), group.apart('b')];
    await settled(group, [a, b]);
    const had = running(b);

    b.child?.kill('SIGSTOP');
    await settled(group, [a]);
    const thawed = steady();
    b.child?.kill('SIGCONT');
    const awake = (): number => b.story.findIndex(({ what, at }) => what === 'awake' && at >= thawed); // on a busy machine it slept before
    await until('it says that it is awake', () => awake() >= 0, settleMs);
    assert.equal(b.story[awake()]?.text, '', 'held at the first look');
    await settled(group, [a, b]);
    const since = b.story.slice(awake());
    const lost = since.filter(({ what }) => what === 'lost').map(({ partition }) => partition);
    assert.deepEqual(new Set(lost), new Set(had), 'another has had it meanwhile: what it gets back is a new tenure');

    print('least time between the last moment of one holder and the first of the next', assertOneHolder(group));
    assertInTurns(group);
  });

  test('H1: a member that does not hear for a while what its share is now holds none of it meanwhile', async () => {
    const group = await newGroup({ sessionMs: 6_000 }); // a lease that outlasts the newcomer's first heartbeats
    const wire = await newWire();
    const b = group.apart('b', wire);
    await settled(group, [b]);
    await sleep(2_500); // a lease that is as fresh as it gets

    let asked = false;
    void wire.holdBackShare(3_500).then(() => (asked = true));
    const a = group.apart('a');
    await until('it asks what its share is', () => asked, settleMs);
    await settled(group, [a, b]);

    print('least time between two holders, one of which heard late', assertOneHolder(group));
    assertInTurns(group);
  });

  test('a member that goes while it is joining is waited for by nobody', async () => {
    const group = await newGroup({ sessionMs: 12_000 });
    const a = await group.here('a');
    await settled(group, [a]);
    const b = await group.here('b');
    await sleep(300); // it has asked to join, and the other does not know of it yet
    await b.stop();

    const began = steady();
    const c = await group.here('c');
    await settled(group, [a, c]);

    const took = steady() - began;
    print('a member joined after another had gone while joining', took);
    assert.ok(took < 9_000, `${took} ms: a session was waited for`);
    assertOneHolder(group);
  });

  test('H3: a member whose wire falls silent is a member again after it heals, each of three times', async () => {
    const group = await newGroup();
    const wire = await newWire();
    const [a, b] = [group.apart('a'), group.apart('b', wire)];
    await settled(group, [a, b]);

    for (const nth of ['first', 'second', 'third']) {
      wire.silence();
      await settled(group, [a]);
      await sleep(nth === 'second' ? 4 * sessionMs : 0); // long enough for the watchdog itself to meet silence
      const healed = steady();
      wire.heal();
      await settled(group, [a, b]);
      print(`a member again after the ${nth} silence`, steady() - healed);
    }
    assertOneHolder(group);
    assertInTurns(group);
  });

  test('a coordinator that dies takes every lease with it; when it is back, so are all members', async () => {
    const group = await newGroup();
    const [a, b] = [group.apart('a'), group.apart('b')];
    await settled(group, [a, b]);

    await cluster.broker(1).kill();
    await until('nobody holds anything', () => [a, b].every((member) => holdings(member).length === 0), settleMs);
    await cluster.broker(1).start();
    const back = steady();
    await settled(group, [a, b]);

    print('all partitions held again after the coordinator is back', steady() - back);
    assertOneHolder(group);
    assertInTurns(group);
  });
});

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function print(what: string, ms: number): void {
  console.log(`# shares: ${what}: ${Math.round(ms)} ms`);
}

function told({ story }: Member, what: Said['what']): readonly Said[] {
  return story.filter((said) => said.what === what);
}

/** What it runs now: gained and not lost. */
function running({ story }: Member): ReadonlySet<number> {
  const has = new Set<number>();
  for (const { what, partition } of story) {
    if (what === 'gained') has.add(partition);
    if (what === 'lost') has.delete(partition);
  }
  return has;
}

function holdings({ story }: Member): readonly number[] {
  const has = new Set<number>();
  for (const { what, partition } of story) {
    if (what === 'holds') has.add(partition);
    if (what === 'let go') has.delete(partition);
  }
  return [...has];
}

async function until(expected: string, holds: () => boolean, withinMs: number, seen: () => string = () => ''): Promise<void> {
  const endsAt = steady() + withinMs;
  while (!holds()) {
    assert.ok(steady() < endsAt, `not within ${withinMs} ms: ${expected}\n${seen()}`);
    await sleep(10);
  }
}

/** Every partition is held and run by exactly one of these members, evenly. */
async function settled(group: Group, members: readonly Member[]): Promise<void> {
  const all = Array.from({ length: partitions }, (_, partition) => partition).join(' ');
  const even = (): boolean => {
    const shares = members.map((member) => [...running(member)].toSorted((one, two) => one - two));
    const sizes = shares.map((share) => share.length);
    return (
      Math.max(...sizes) - Math.min(...sizes) <= 1 &&
      shares
        .flat()
        .toSorted((one, two) => one - two)
        .join(' ') === all &&
      members.every(
        (member, nth) =>
          holdings(member)
            .toSorted((one, two) => one - two)
            .join(' ') === shares[nth]?.join(' '),
      )
    );
  };
  const seen = (): string =>
    group.members
      .map((member) => `${member.name} runs ${[...running(member)].join(' ')} holds ${holdings(member).join(' ')}; ${lastWords(member)}`)
      .join('\n');
  await until(`${members.map(({ name }) => name).join(', ')} share all partitions evenly`, even, settleMs, seen);
}

function lastWords({ story }: Member): string {
  return story
    .slice(-12)
    .map(({ at, what, partition, text = '' }) => `${Math.round(at)} ${what} ${partition} ${text}`)
    .join('\n    ');
}

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** `died`: when members were killed, which could not say that they let go. */
function spansOf(member: Member, partition: number, died: ReadonlyMap<Member, number>): readonly Span[] {
  const spans: Span[] = [];
  let from: number | null = null;
  for (const said of member.story) {
    if (said.partition !== partition) continue;
    if (said.what === 'holds') from = said.at;
    if (said.what === 'let go' && from !== null) {
      spans.push({ name: member.name, from, to: said.at });
      from = null;
    }
  }
  if (from !== null) spans.push({ name: member.name, from, to: died.get(member) ?? Number.POSITIVE_INFINITY });
  return spans;
}

/** H1: no moment at which two members believe to hold a partition; the least time between one and the next. */
function assertOneHolder(group: Group, died: ReadonlyMap<Member, number> = new Map()): number {
  let margin = Number.POSITIVE_INFINITY;
  for (let partition = 0; partition < partitions; partition += 1) {
    const spans = group.members.flatMap((member) => spansOf(member, partition, died)).toSorted((a, b) => a.from - b.from);
    for (const [nth, span] of spans.entries()) {
      const next = spans[nth + 1];
      if (next === undefined || next.name === span.name) continue;
      const gap = next.from - span.to;
      assert.ok(gap > 0, `H1: ${next.name} holds partition ${partition} ${-gap} ms before ${span.name} has let it go`);
      margin = Math.min(margin, gap);
    }
  }
  return margin;
}

/** H2: of one partition a member is told `gained` and `lost` by turns. */
function assertInTurns({ members }: Group): void {
  for (const { name, story } of members)
    for (let partition = 0; partition < partitions; partition += 1) {
      const words = story.filter((said) => said.partition === partition && (said.what === 'gained' || said.what === 'lost'));
      for (const [nth, { what }] of words.entries())
        assert.equal(what, nth % 2 === 0 ? 'gained' : 'lost', `${name}: partition ${partition}`);
    }
}
