// A vendor that keeps one alert for each key, as PagerDuty does: a trigger whose key is open or acknowledged there calls nobody.
// Holds the gateway to P9: a ring that counts as told has called somebody since the page was last acknowledged, and what it leaves open ends.
import { rings } from '../../src/core/page/notification.ts';
import type { NotifyFinished } from '../../src/core/page/facts.ts';
import type { Page } from '../../src/core/page/row.ts';
import type { Ledger } from './ledger.ts';

export function checkEras(ledger: Ledger): void {
  ledger.watch({
    fact({ fact }, desk) {
      if (fact.type === 'NotifyFinished') called(fact, desk.tables.pages.rows.get(fact.page));
    },
  });

  function called({ outcome, retry, notification, notifier }: NotifyFinished, page: Page | undefined): void {
    const sent = page?.outgoing.find(({ id }) => id === notification);
    if (page?.state !== 'ringing' || sent === undefined || outcome.outcome !== 'accepted' || retry) return;
    if (!rings[sent.kind] || sent.ring !== page.ring || sent.state !== 'granted') return;
    const alerts = alertsOf(page.id, notifier);
    const era = page.era ?? 0;
    if (alerts.get(era) !== 'open') {
      ledger.breach(`P9: ${notification} counts as told in era ${era}, and ${notifier} called nobody: ${JSON.stringify([...alerts])}`);
    } else if (era > 0) ledger.reach('rang under a key of its own after an acknowledgement');
  }

  /** What is open at the vendor, by era. */
  function alertsOf(page: string, notifier: string): ReadonlyMap<number, 'open' | 'acknowledged'> {
    const alerts = new Map<number, 'open' | 'acknowledged'>();
    for (const one of ledger.arrived) {
      if (one.page !== page || one.notifier !== notifier) continue;
      if (one.kind === 'resolve') alerts.delete(one.era);
      else if (one.kind !== 'acknowledged') alerts.set(one.era, alerts.get(one.era) ?? 'open');
      else if (alerts.has(one.era)) alerts.set(one.era, 'acknowledged');
      for (const era of one.formerEras) alerts.delete(era);
    }
    return alerts;
  }
}
