// So many of something a second for each endpoint, and a burst of some more: what one endpoint takes is not another's.
import { second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';

const burst = 512;
const perSecond = 256;

/** Takes so many from what the endpoint may have now; false, and nothing is taken, when that is less. One entry for each endpoint. */
export type TakeAllowance = (endpoint: string, count: number) => boolean;

export function createAllowances(clock: Pick<Clock, 'steady'>): TakeAllowance {
  const allowances = new Map<string, { left: number; at: Millis }>();
  return (endpoint, count) => {
    const now = clock.steady();
    const allowance = allowances.get(endpoint) ?? { left: burst, at: now };
    allowances.set(endpoint, allowance);
    allowance.left = Math.min(burst, allowance.left + ((now - allowance.at) * perSecond) / second);
    allowance.at = now;
    if (allowance.left < count) return false;
    allowance.left -= count;
    return true;
  };
}
