// Which alerts of a delivery concern the fail-open page: critical ones that fire, and the clearing of any. Pure.
import type { AlertEvent } from '../../core/alert/event.ts';
import type { AlertSeen } from '../../core/alert/facts.ts';
import type { Input } from '../../core/records.ts';
import type { LogBatch } from '../../ports/event-log.ts';
import type { NewAlert } from '../intake/delivery-writer.ts';

/** What the source itself does not trust yet, or holds notifications back for, is not urgent: it would not be paged after a decision either. */
export function isUrgent({ claim, severity, soft, sourceMute }: AlertEvent): boolean {
  return claim === 'firing' && severity === 'critical' && soft !== true && (sourceMute ?? null) === null;
}

/** The last that each alert is said to be, by fingerprint; null when none of it concerns us. */
export function lastClaims<T extends NewAlert>(alerts: readonly T[]): ReadonlyMap<string, T> | null {
  let last: Map<string, T> | null = null;
  for (const alert of alerts) {
    if (alert.event.claim !== 'cleared' && !isUrgent(alert.event)) continue;
    last ??= new Map();
    last.set(alert.event.fingerprint, alert);
  }
  return last;
}

/** Intake writes inputs; those of one batch have one scope. */
export function alertsIn({ values }: LogBatch): readonly AlertSeen[] {
  return (values as readonly Input[]).filter((input) => input.type === 'AlertSeen');
}

/** The identity of an alert. */
export function keyOf(scope: string, fingerprint: string): string {
  return `${scope}|${fingerprint}`;
}
