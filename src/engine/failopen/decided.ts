// Which alerts of which deliveries are decided, remembered for a while: a delivery that comes again is a repeat that the desk drops
// without a word. Pure. Bounded: at least the newest 10,000 decisions, at most twice as many.
import type { AlertDecided } from '../../core/decide/facts.ts';
import type { NewAlert } from '../intake/delivery-writer.ts';
import { keyOf } from './urgent.ts';

const decisionsMax = 10_000;

export interface Decided {
  note(fact: AlertDecided): void;
  /** False also when it is no longer remembered. */
  has(alert: NewAlert): boolean;
}

export function createDecided(max = decisionsMax): Decided {
  /** By delivery and alert: the last index that was decided. */
  let newer = new Map<string, number>();
  let older = newer;
  return {
    note({ scope, fingerprint, delivery, index }) {
      if (delivery === '') return;
      if (newer.size >= max) {
        older = newer;
        newer = new Map();
      }
      newer.set(`${delivery}|${keyOf(scope, fingerprint)}`, index);
    },
    has({ scope, event, delivery, index }) {
      const key = `${delivery}|${keyOf(scope, event.fingerprint)}`;
      return index <= (newer.get(key) ?? older.get(key) ?? -1);
    },
  };
}
