// E8: freezes beside each other: kept, ended, lifted together, and read from what 0.1.0 wrote down.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { remindOfFreezes } from '../../src/gateway/freeze-reminder.ts';
import { newDesk, worldOf, type Desk } from '../../src/core/desk.ts';
import { freezesMax, freezesOf, frozenAt, frozenWith, saidOf, type Frozen } from '../../src/core/playbook/freeze.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { hour, minute } from '../../src/core/time.ts';
import { turnWorld } from '../../src/core/turn.ts';
import { noPolicy } from '../../src/engine/host/no-policy.ts';

const start = Date.UTC(2026, 10, 21, 12);
const rules = { policy: noPolicy, frozen: null, installation: null, expressions: {} as never }; // none is evaluated here

function given(desk: Desk, at: number, by: string, command: { readonly reason: string; readonly until?: number } | 'thaw'): void {
  const told = command === 'thaw' ? ({ name: 'thaw' } as const) : ({ name: 'freeze', ...command } as const);
  turnWorld(desk, { type: 'CommandGiven', scope: everyScope, at, by, command: told }, rules, 0);
}

const held = (desk: Desk, at: number): readonly (readonly [string, string])[] =>
  freezesOf(worldOf(desk).frozen, at).map(({ by, reason }) => [by, reason]);

describe('E8: the emergency stop', () => {
  it('Z1: a second freeze is kept beside the first; the same one again moves its end; thaw lifts all', () => {
    const desk = newDesk(everyScope);
    given(desk, start, 'ann', { reason: 'switch' });
    given(desk, start + 1, 'bob', { reason: 'fire', until: start + hour });
    given(desk, start + 2, 'bob', { reason: 'fire', until: start + 2 * hour });
    assert.deepEqual(worldOf(desk).frozen, {
      by: 'ann',
      reason: 'switch',
      freezes: [
        { by: 'ann', reason: 'switch', at: start, until: null },
        { by: 'bob', reason: 'fire', at: start + 1, until: start + 2 * hour },
      ],
    });
    assert.equal(saidOf(worldOf(desk).frozen as Frozen), 'by ann: switch; by bob: fire, until 14:00 UTC');
    given(desk, start + 3, 'cleo', 'thaw');
    assert.equal(worldOf(desk).frozen, null);
  });

  it('Z2: one that is over holds no more, and is not said again', () => {
    const desk = newDesk(everyScope);
    given(desk, start, 'ann', { reason: 'deploy', until: start + minute });
    assert.deepEqual(held(desk, start + minute - 1), [['ann', 'deploy']]);
    assert.equal(frozenAt(worldOf(desk).frozen, start + minute), null);
    given(desk, start + hour, 'bob', { reason: 'fire', until: start + 2 * hour });
    assert.deepEqual(worldOf(desk).frozen?.freezes?.length, 1);
    assert.equal(worldOf(desk).frozen?.by, 'bob');
  });

  it('what 0.1.0 wrote down holds until it is thawed', () => {
    const frozen = { by: 'ann', reason: 'old' };
    assert.deepEqual(freezesOf(frozen, start), [{ ...frozen, at: null, until: null }]);
    assert.deepEqual(frozenWith(frozen, { by: 'bob', reason: 'new', at: start, until: start + 1 }).by, 'ann');
    assert.equal(saidOf(frozen), 'by ann: old');
  });

  it('of more than twenty those that last longest are kept', () => {
    let frozen: Frozen | null = frozenWith(null, { by: 'ann', reason: 'for good', at: start, until: null });
    for (let place = 1; place <= 30; place += 1)
      frozen = frozenWith(frozen, { by: 'bob', reason: `r${place}`, at: start, until: start + place });
    const reasons = freezesOf(frozen, start).map(({ reason }) => reason);
    assert.deepEqual([reasons.length, reasons[0], reasons[1], reasons.at(-1)], [freezesMax, 'for good', 'r12', 'r30']);
  });

  it('the log is reminded once an hour while one holds, and no more when it is over', async () => {
    const said: string[] = [];
    const timers: (() => void)[] = [];
    let now = start;
    const frozen = frozenWith(null, { by: 'ann', reason: 'switch', at: start, until: start + 90 * minute });
    const stop = remindOfFreezes({
      clock: { now: () => now, after: (_, call) => (timers.push(call), () => timers.splice(0)) },
      logger: { warn: (_: object, text: string) => void said.push(text) },
      frozen: () => frozen,
    });
    for (const at of [start + hour, start + 2 * hour]) {
      now = at;
      timers.shift()?.();
    }
    assert.deepEqual(said, ['frozen for 1h by ann: switch, until 13:30 UTC: no playbook acts until quench thaw']);
    await stop();
    assert.equal(timers.length, 0);
  });
});
