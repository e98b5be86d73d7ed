// The time of desks follows the clock (K3 in core/clock): once it has been right for long, no desk is ahead of it, and silences stand.
import { aheadMax } from '../../src/core/clock/correct.ts';
import { metaOf } from '../../src/core/desk.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { minute, second } from '../../src/core/time.ts';
import { tokenOf } from '../../src/core/wakes.ts';
import { deskName, type Ledger } from './ledger.ts';

const slackMs = second;

/** A wake comes when it was due at the earliest (T2), which takes a desk ahead again that had been set back; so long after it, it is right. */
const rightAgainMs = minute;

export function checkClock(ledger: Ledger): { calm(): void } {
  const woken = new Map<string, number>();
  ledger.watch({
    fact({ fact, partition, seen }) {
      if (fact.type === 'WakeSpent') woken.set(deskName(partition, fact.scope), seen.steady);
      if (fact.type === 'DeskSetBack') ledger.reach('desk set back');
    },
  });

  return {
    calm() {
      const { wall, steady } = ledger.moment();
      for (const [name, desk] of ledger.desks) {
        if (name.endsWith(`/${everyScope}`)) continue;
        const ahead = metaOf(desk).now - wall;
        const isWoken = steady - (woken.get(name) ?? -Infinity) < rightAgainMs;
        if (ahead > aheadMax + slackMs && !isWoken)
          ledger.breach(`K3: ${name} is ${ahead} ms ahead of the clock long after it was set right`);
        for (const { silence } of desk.tables.silences.rows.values()) {
          const { id, endsAt } = silence;
          if (!desk.tables.wakes.rows.has(tokenOf({ kind: 'silence', silence: id, endsAt })))
            ledger.breach(`K4: nothing ends the silence ${id}`);
        }
      }
    },
  };
}
