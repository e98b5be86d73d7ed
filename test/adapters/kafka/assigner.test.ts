// Who gets which partition, worked out without a broker: the promises of assigner.ts over any members with any claims.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AssignerProtocol, type GroupMember } from 'kafkajs';
import { shareOut, stickyAssigner } from '../../../adapters/kafka/assigner.ts';

interface Member {
  readonly id: string;
  readonly instance: string;
  readonly held: readonly number[];
}

/** What members claim to hold: some of it twice, held by others, too, or no partition at all. */
const claim = fc.array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 19 }) }, { weight: 1, arbitrary: fc.integer() }), {
  maxLength: 25,
});
const members: fc.Arbitrary<readonly Member[]> = fc.uniqueArray(
  fc.record({ id: fc.string({ maxLength: 6 }), instance: fc.constantFrom('a', 'b', 'c', '__proto__'), held: claim }),
  { selector: (member) => member.id, minLength: 1, maxLength: 9 },
);
const partitions = fc.integer({ min: 0, max: 20 });

function shareOf(shares: ReadonlyMap<string, readonly number[]>, id: string): readonly number[] {
  return shares.get(id) ?? assert.fail(`nothing for ${id}`);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}

/** Partitions that only this member claims. */
function undisputed(all: readonly Member[], { id, held }: Member, count: number): readonly number[] {
  const others = new Set(all.filter((other) => other.id !== id).flatMap((other) => other.held));
  return [...new Set(held)].filter((partition) => partition >= 0 && partition < count && !others.has(partition));
}

test('every partition goes to exactly one member, whatever the members claim', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const given = [...shareOut(all, count).values()].flat();
      assert.deepEqual(
        given.toSorted((a, b) => a - b),
        upTo(count),
      );
    }),
    { numRuns: 1_000 },
  );
});

test('G1: shares differ by one partition at most', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const sizes = [...shareOut(all, count).values()].map((share) => share.length);
      assert.equal(sizes.length, all.length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `sizes ${sizes.join(', ')}`);
    }),
    { numRuns: 1_000 },
  );
});

test('G1: a member keeps what only it holds, up to its fair share', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const shares = shareOut(all, count);
      for (const member of all) {
        // What is disputed may go to it as well, and then fills its share.
        const least = Math.min(Math.floor(count / all.length), undisputed(all, member, count).length);
        const kept = shareOf(shares, member.id).filter((partition) => member.held.includes(partition));
        assert.ok(kept.length >= least, `${member.id} keeps ${kept.length} of its own, expected ${least} at least`);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('G1: a group that is even already moves nothing', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const settled = shareOut(all, count);
      const again = shareOut(
        all.map((member) => ({ ...member, held: shareOf(settled, member.id) })),
        count,
      );
      for (const { id } of all) assert.deepEqual(new Set(again.get(id)), new Set(settled.get(id)));
    }),
    { numRuns: 500 },
  );
});

test('G1: one that joins takes its share and nothing else moves; one that leaves takes nothing from the others', () => {
  fc.assert(
    fc.property(members, partitions, (all, count) => {
      const [first, ...rest] = all;
      if (first === undefined || rest.length === 0) return;
      const before = shareOut(rest, count);
      const settled = rest.map((member) => ({ ...member, held: shareOf(before, member.id) }));

      const joined = shareOut([...settled, { ...first, held: [] }], count);
      for (const { id } of rest)
        for (const partition of shareOf(joined, id)) assert.ok(before.get(id)?.includes(partition), `${partition} moved to ${id}`);

      const [gone, ...staying] = settled;
      if (gone === undefined || staying.length === 0) return;
      const left = shareOut(staying, count);
      for (const { id, held } of staying)
        for (const partition of held) assert.ok(left.get(id)?.includes(partition), `${partition} was taken from ${id}`);
    }),
    { numRuns: 500 },
  );
});

test('G2: the order in which members and claims are told changes nothing', () => {
  const told = members.chain((all) =>
    fc.record({
      all: fc.constant(all),
      shuffled: fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length }),
      turned: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(told, partitions, ({ all, shuffled, turned }, count) => {
      const other = shuffled.map((member) => (turned ? { ...member, held: member.held.toReversed() } : member));
      const [one, two] = [shareOut(all, count), shareOut(other, count)];
      for (const { id } of all) assert.deepEqual(one.get(id), two.get(id));
    }),
    { numRuns: 1_000 },
  );
});

// ---------------------------------------------------------------- over the wire

const partitionsShared = 6;

async function assigned(
  group: readonly { readonly id: string; readonly userData: Buffer }[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const assigner = stickyAssigner('quench.inputs', partitionsShared, 'leader', () => []);
  const told: GroupMember[] = group.map(({ id, userData }) => ({
    memberId: id,
    memberMetadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ['quench.inputs'], userData }),
  }));
  const given = await assigner.assign({ members: told, topics: ['quench.inputs'] });
  return new Map(
    given.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment['quench.inputs'] ?? [],
    ]),
  );
}

test('what a member says it holds comes through the protocol, as it is when it joins', async () => {
  let held: readonly number[] = [];
  const mine = stickyAssigner('quench.inputs', partitionsShared, 'b', () => held);
  held = [0, 1, 2];
  const { name, metadata } = mine.protocol({ topics: [] });
  const userData = AssignerProtocol.MemberMetadata.decode(metadata)?.userData ?? Buffer.alloc(0);

  const given = await assigned([
    { id: 'one', userData: Buffer.from('{"instance":"a","held":[]}') },
    { id: 'two', userData },
  ]);

  assert.equal(name, mine.name);
  assert.deepEqual(new Set(given.get('two')), new Set([0, 1, 2]));
  assert.deepEqual(new Set(given.get('one')), new Set([3, 4, 5]));
});

const strange = [
  '',
  'null',
  '7',
  '[]',
  '{',
  '{"instance":{"toString":1},"held":[0]}',
  '{"instance":"a","held":{"length":9e9}}',
  '{"instance":"a","held":["0",1.5,-1,1e99,null,[2],99]}',
  '\u{0}\u{0}',
];

test('a member that says something strange is a member that holds nothing', async () => {
  for (const says of strange) {
    const given = await assigned([
      { id: 'odd', userData: Buffer.from(says) },
      { id: 'sane', userData: Buffer.from('{"instance":"a","held":[0,1,2]}') },
    ]);
    assert.deepEqual(new Set(given.get('sane')), new Set([0, 1, 2]), says);
    assert.deepEqual(new Set(given.get('odd')), new Set([3, 4, 5]), says);
  }
});
