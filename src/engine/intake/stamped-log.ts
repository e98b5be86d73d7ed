// The inputs log with the stamp on what goes in: `at`, once, in the order of appending.
//   I2  (intake.ts) It does not go back within a partition, over restarts and on clocks that are set back a little, too. A clock that
//       was set back further ran ahead before: from then on its stamps are the true ones, and desks follow (core/clock).
import { aheadMax } from '../../core/clock/correct.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Input } from '../../core/records.ts';
import type { Instant } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog } from '../../ports/event-log.ts';
import { createLanes, noLanes, type Lanes } from './lanes.ts';

export type Unstamped<T> = T extends unknown ? Omit<T, 'at'> : never;
/** An input of which only the stamp is missing. */
export type NewInput = Unstamped<Input>;

export interface StampedLog {
  readonly partitions: number;
  /** Resolves when the inputs are durable; `raw` is the delivery they came from, kept beside them. What must wait goes by the bulk lane, if the log has one. */
  append(
    to: { readonly scope: string; readonly partition: number; readonly waits: boolean; readonly mayUseReserve?: true },
    inputs: readonly NewInput[],
    raw: string | null,
  ): Promise<unknown>;
  readonly lanes: Lanes;
}

/** Reads the last stamp of each partition; of a log that is away, none. */
export async function openStampedLog(log: EventLog, clock: Pick<Clock, 'now' | 'steady'>): Promise<StampedLog> {
  const stamps = await Promise.all(Array.from({ length: log.partitions }, (_, partition) => lastStamp(log, partition)));
  return {
    partitions: log.partitions,
    lanes: log.bulk === undefined ? noLanes : createLanes(log.bulk, clock),
    // I2: no await between the stamp and the append.
    append({ scope, partition, waits, mayUseReserve }, inputs, raw) {
      const now = clock.now();
      const last = stamps[partition] ?? 0;
      const at = last - now > aheadMax ? now : Math.max(now, last);
      stamps[partition] = at;
      const values = inputs.map((input) => ({ ...input, at }));
      const batch = {
        partition,
        scope,
        values,
        ...(raw === null ? {} : { raw }),
        ...(mayUseReserve === undefined ? {} : { mayUseReserve }),
      };
      return waits && log.bulk !== undefined ? log.bulk.append(batch) : log.append('inputs', batch);
    },
  };
}

async function lastStamp(log: EventLog, partition: number): Promise<Instant> {
  try {
    const end = await log.end('inputs', partition);
    if (end === 0) return 0;
    const [record] = await log.read('inputs', partition, end - 1, 1);
    const at = (record?.value as { readonly at?: unknown } | undefined)?.at;
    return typeof at === 'number' ? at : 0;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'log_unavailable') return 0;
    throw error;
  }
}

/** Waits for every one, so that none is still on its way when the first failure is told. */
export async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  const [only] = promises;
  if (promises.length === 1 && only !== undefined) {
    await only;
    return;
  }
  for (const settled of await Promise.allSettled(promises)) if (settled.status === 'rejected') throw settled.reason;
}
