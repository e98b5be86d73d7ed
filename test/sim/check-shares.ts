// Promises that several processes make together: nobody acts for a partition that another one has been given, and a partition that lost
// its host is decided again before long.
import { second, type Millis } from '../../src/core/time.ts';
import type { CheckParts } from './checker.ts';
import type { Moment } from './ledger.ts';

const lookEveryMs: Millis = 5 * second;
/** A lease, a load, and inputs that piled up. */
const decideWithinMs: Millis = 30 * second;
const perDisturbanceMs: Millis = 20 * second;
const perTroubleMs: Millis = 3 * second;

export function checkShares({ ledger, partitions, groups, living, isWell }: CheckParts): void {
  if (groups === null) return;
  const { effects } = groups;
  const granted = new Map<string, number>();
  const lastDecided = Array.from({ length: partitions }, () => ledger.moment());
  /** Time since then in which somebody could have decided. */
  const idleMs = lastDecided.map(() => 0);
  let looked = 0;

  ledger.watch({
    fact({ fact, partition }) {
      if (fact.type !== 'StepGranted') return;
      granted.set(`${fact.run}/${fact.call}`, partition);
      const owner = effects.owner(partition);
      if (owner !== null && !fact.worker.startsWith(`${owner}.`)) ledger.reach('granted to a process that had lost the partition');
    },
    acted({ key, worker }) {
      const partition = granted.get(key);
      if (partition === undefined) return; // X1 says so
      const owner = effects.owner(partition);
      if (owner !== null && owner !== worker) ledger.breach(`X4: ${worker} acted on ${key} when partition ${partition} was ${owner}'s`);
    },
    settled(now) {
      if (now.steady - looked < lookEveryMs) return;
      const passed = now.steady - looked;
      looked = now.steady;
      for (const [partition, since] of lastDecided.entries()) look(partition, since, passed, now);
    },
  });

  function look(partition: number, since: Moment, passed: Millis, now: Moment): void {
    const able = living().filter(({ life, link }) => link.outSince === null && isWell(life));
    if (able.some(({ service }) => service.lags().get(partition) === 0)) {
      idleMs[partition] = 0;
      lastDecided[partition] = now;
      return;
    }
    const owner = living().find(({ link }) => link.name === groups?.host.owner(partition));
    const could = able.length > 0 && (owner === undefined || isWell(owner.life));
    const idle = (idleMs[partition] ?? 0) + (could ? Math.min(passed, 2 * lookEveryMs) : 0);
    idleMs[partition] = idle;
    const forgiven =
      perDisturbanceMs * (now.disturbances - since.disturbances + now.lives - since.lives) + perTroubleMs * (now.troubles - since.troubles);
    if (idle > decideWithinMs + forgiven) {
      ledger.breach(`N2: for ${idle} ms nobody decided all of partition ${partition}`);
      lastDecided[partition] = now;
    }
  }
}
