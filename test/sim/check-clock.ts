// The time of desks follows the clock (K3 in core/clock): once it has been right for long, no desk is ahead of it, and silences stand.
import { aheadMax } from '../../src/core/clock/correct.ts';
import { metaOf } from '../../src/core/desk.ts';
import { everyScope } from '../../src/core/stamp.ts';
import { second } from '../../src/core/time.ts';
import { tokenOf } from '../../src/core/wakes.ts';
import type { Ledger } from './ledger.ts';

const slackMs = second;

export function checkClock(ledger: Ledger): { calm(): void } {
  ledger.watch({
    fact({ fact }) {
      if (fact.type === 'DeskSetBack') ledger.reach('desk set back');
    },
  });

  return {
    calm() {
      const { wall } = ledger.moment();
      for (const [name, desk] of ledger.desks) {
        if (name.endsWith(`/${everyScope}`)) continue;
        const ahead = metaOf(desk).now - wall;
        if (ahead > aheadMax + slackMs) ledger.breach(`K3: ${name} is ${ahead} ms ahead of the clock long after it was set right`);
        for (const { silence } of desk.tables.silences.rows.values()) {
          const { id, endsAt } = silence;
          if (!desk.tables.wakes.rows.has(tokenOf({ kind: 'silence', silence: id, endsAt })))
            ledger.breach(`K4: nothing ends the silence ${id}`);
        }
      }
    },
  };
}
