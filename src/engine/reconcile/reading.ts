// The two sides of a comparison: what the source has open, by the identities of its endpoint, and what we believe of that endpoint.
import type { Result } from '../../core/errors.ts';
import type { OpenAnswer } from '../../ports/open-alerts.ts';
import type { Delivery } from '../../ports/source.ts';
import type { Views } from '../../ports/views.ts';
import { alertId, type AlertDocument } from '../../readmodel/documents.ts';
import type { IntakeEndpoint } from '../intake/endpoint.ts';
import { scopeOf } from '../intake/scope.ts';
import { newestOf, type ReadAlert } from './compare.ts';

/** Alerts of one endpoint that are held for a comparison. */
export const believedMax = 50_000;
const perPage = 500;

/** What of this endpoint fires, as the read model has it; null when that is more than may be held. */
export async function believedOf(endpoint: IntakeEndpoint, views: Pick<Views, 'list'>): Promise<readonly AlertDocument[] | null> {
  const believed: AlertDocument[] = [];
  let after: string | undefined;
  do {
    const page = await views.list({
      kind: 'alert',
      scopes: 'all',
      states: ['firing'],
      sources: [endpoint.source.name],
      limit: perPage,
      ...(after === undefined ? {} : { after }),
    });
    for (const doc of page.items) if (doc.endpoint === endpoint.name) believed.push(doc);
    if (believed.length > believedMax) return null;
    after = page.next ?? undefined;
  } while (after !== undefined);
  return believed;
}

export interface ReadAnswer {
  readonly open: ReadonlyMap<string, ReadAlert>;
  readonly unsure: ReadonlySet<string>;
  /** Null, or why some of it is not known by its identity: it may be any alert. */
  readonly unread: string | null;
}

export function readAnswer(endpoint: IntakeEndpoint, { alerts, unsure }: OpenAnswer): ReadAnswer {
  const open: ReadAlert[] = [];
  const ids = new Set<string>();
  let unread: string | null = null;
  for (const { delivery: said, ours } of alerts) {
    const delivery: Delivery = { ...said, native: true };
    const read = readDelivery(endpoint, delivery);
    if (read.ok) open.push(...read.value.map((alert) => ({ ...alert, ours })));
    else unread = read.error;
  }
  for (const delivery of unsure) {
    const read = readDelivery(endpoint, { ...delivery, native: true });
    if (read.ok) for (const { id } of read.value) ids.add(id);
    else unread = read.error;
  }
  return { open: newestOf(open), unsure: ids, unread };
}

function readDelivery(endpoint: IntakeEndpoint, delivery: Delivery): Result<readonly ReadAlert[], string> {
  try {
    const parsed = endpoint.source.parse(delivery);
    if (!parsed.ok) return { ok: false, error: `an alert of it is not understood: ${parsed.error.message}` };
    const ids = parsed.value.events.map((event): ReadAlert => {
      const scope = scopeOf(endpoint.tenant, endpoint.scopeLabels, event.labels);
      return { id: alertId(scope, event.fingerprint), event, delivery, ours: true };
    });
    return { ok: true, value: ids };
  } catch (error) {
    return { ok: false, error: `the parser failed: ${error instanceof Error ? error.message.slice(0, 200) : 'unknown'}` };
  }
}
