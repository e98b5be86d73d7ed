// One delivery onto the log: its alerts by scope, the scopes side by side, and what the sender says it left out.
// Ends when nothing of it is on its way any more; whether it was understood, and what is said to the sender, is intake.ts.
import type { AlertEvent, Claim } from '../../core/alert/event.ts';
import type { AlertSeen, AlertsHidden } from '../../core/alert/facts.ts';
import type { Parsed } from '../../ports/source.ts';
import type { IntakeEndpoint } from './endpoint.ts';
import { partitionOf, scopeOf } from './scope.ts';
import { allOf, type StampedLog, type Unstamped } from './stamped-log.ts';

/** Copies of one raw body over the scopes of its delivery stay below this; beyond, only the first scope keeps it. */
const rawCharsMax = 1_048_576;

export type NewAlert = Unstamped<AlertSeen>;

export interface DeliveryId {
  readonly text: string;
  /** The desk may have turned this delivery before. */
  readonly mayRepeat: boolean;
}

export interface DeliveryWriterDeps {
  readonly log: StampedLog;
  /** Called once for each alert that became durable. */
  readonly onAccepted: (endpoint: string, claim: Claim) => void;
  /** The event without what none may read of it; its identity, labels and entity stay. Not given: as it came. */
  readonly discreet?: (event: AlertEvent) => AlertEvent;
  /** Told of the alerts of one scope before they go to the log, and whether the desk may know them already; what it returns is told whether they were accepted. */
  readonly offered?: (scope: string, alerts: readonly NewAlert[], mayRepeat: boolean) => ((accepted: boolean) => void) | null;
}

/** A delivery, or a part of a large one. */
export interface WantedDelivery {
  readonly parsed: Pick<Parsed, 'events' | 'hidden'>;
  /** As it was received, to be kept beside its alerts; null: it is kept elsewhere. */
  readonly raw: string | null;
  readonly id: DeliveryId;
}

interface Group {
  readonly scope: string;
  readonly alerts: NewAlert[];
}

/** Resolves when every input of the delivery is durable; rejects when one is not. */
export async function writeDelivery(
  { log, onAccepted, offered, discreet }: DeliveryWriterDeps,
  endpoint: IntakeEndpoint,
  { parsed: given, raw, id }: WantedDelivery,
): Promise<void> {
  const parsed = discreet === undefined ? given : { ...given, events: given.events.map(discreet) };
  const groups = groupsOf(endpoint, parsed, id.text);
  const offers = groups.map((group) => offered?.(group.scope, group.alerts, id.mayRepeat) ?? null);
  const everywhere = groups.length * (raw?.length ?? 0) <= rawCharsMax;
  let rawIsKept = false;
  const append = (scope: string, alerts: readonly NewAlert[], waits: boolean): readonly Promise<unknown>[] => {
    if (alerts.length === 0) return [];
    const kept = everywhere || !rawIsKept ? raw : null;
    rawIsKept = true;
    return [log.append({ scope, partition: partitionOf(scope, log.partitions), waits }, alerts, kept)];
  };
  const appends = groups.flatMap(({ scope, alerts }) => {
    const partition = partitionOf(scope, log.partitions);
    const { passing, waiting } = log.lanes.divide({ partition, endpoint: endpoint.name, isNamed: id.text !== '' }, alerts);
    return [...append(scope, passing, false), ...append(scope, waiting, true)];
  });
  const hidden = hiddenOf(endpoint, parsed, groups);
  if (hidden !== null) {
    const partition = partitionOf(hidden.scope, log.partitions);
    appends.push(log.append({ scope: hidden.scope, partition, waits: log.lanes.mustWait(partition) }, [hidden], null));
  }
  const failure = await allOf(appends).then(
    () => null,
    (error: unknown) => ({ error }),
  );
  for (const answer of offers) answer?.(failure === null);
  if (failure !== null) throw failure.error;
  for (const event of parsed.events) onAccepted(endpoint.name, event.claim);
}

/** Groups by scope in the order of first appearance; events keep their order within a scope. */
function groupsOf(endpoint: IntakeEndpoint, parsed: WantedDelivery['parsed'], delivery: string): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const [index, event] of parsed.events.entries()) {
    const scope = scopeOf(endpoint.tenant, endpoint.scopeLabels, event.labels);
    const group = groups.get(scope) ?? { scope, alerts: [] };
    if (group.alerts.length === 0) groups.set(scope, group);
    group.alerts.push({ type: 'AlertSeen', scope, endpoint: endpoint.name, delivery, index, event });
  }
  return [...groups.values()];
}

/** Left-out alerts are told to the scope of the first that was not; without any, to the tenant's. */
function hiddenOf(endpoint: IntakeEndpoint, parsed: WantedDelivery['parsed'], groups: readonly Group[]): Omit<AlertsHidden, 'at'> | null {
  const { hidden } = parsed;
  if (hidden === undefined || hidden.count <= 0) return null;
  const scope = groups[0]?.scope ?? scopeOf(endpoint.tenant, endpoint.scopeLabels, {});
  return { type: 'AlertsHidden', scope, endpoint: endpoint.name, count: hidden.count, group: hidden.group };
}
