// The emergency stop is lifted: what it held goes on in that very turn, in every scope of the partition.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import type { Fact, Input } from '../../../src/core/records.ts';
import { everyScope } from '../../../src/core/stamp.ts';
import { createTurner, type Turner } from '../../../src/engine/host/turner.ts';
import { someday } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';
import { playbookOf, policyOf } from '../../support/policy.ts';

type Given<T> = T extends Input ? Omit<T, 'at'> : never;

function turning(): { readonly turner: Turner; hear(...inputs: readonly Given<Input>[]): readonly Fact[] } {
  const turner = createTurner({ clock: { steady: () => 0 }, expressions: createExpressions(), onChanged: () => {} });
  let offset = 0;
  return {
    turner,
    hear(...inputs) {
      const records = inputs.map((input) => ({
        partition: 0,
        offset: (offset += 1),
        scope: input.scope,
        value: { ...input, at: someday },
      }));
      return [...turner.turn(records).values()].flat();
    },
  };
}

const command = (told: { readonly name: 'freeze'; readonly reason: string } | { readonly name: 'thaw' }) =>
  ({ type: 'CommandGiven', scope: everyScope, by: 'ann', command: told }) as const;
const seen = (scope: string) => ({ type: 'AlertSeen', scope, endpoint: 'test', delivery: '', index: 0, event: eventOf() }) as const;

test('C6: a thaw wakes what was held by it, in the turn that lifts it, in every scope', () => {
  const { hear } = turning();
  hear({ type: 'PolicyPublished', scope: everyScope, policy: policyOf({ playbooks: [playbookOf()] }) });
  hear(command({ name: 'freeze', reason: 'audit' }));
  const held = hear(seen('a'), seen('b'));
  assert.equal(held.filter(({ type }) => type === 'ResourceRequested').length, 0);

  const woken = hear(command({ name: 'thaw' }));
  assert.deepEqual(
    woken.filter(({ type }) => type === 'ResourceRequested').map(({ scope }) => scope),
    ['a', 'b'],
  );
  assert.equal(hear(command({ name: 'thaw' })).length, 0, 'what is not frozen cannot be thawed');
});
