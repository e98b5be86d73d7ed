// Lies told to one part of a process by what stands between it and the real parts around it: logs, clocks, shares, checkpoints, cursors.
// The worlds that are built from them are in mutants.ts.
import type { MemoryDisk } from '../../adapters/memory/disk.ts';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { DecisionContext } from '../../src/core/context.ts';
import type { Desk } from '../../src/core/desk.ts';
import type { NotifyOutcome } from '../../src/core/page/notification.ts';
import type { NotifyGranted } from '../../src/core/page/facts.ts';
import type { Fact } from '../../src/core/records.ts';
import type { StepGranted } from '../../src/core/run/facts.ts';
import type { Run } from '../../src/core/run/row.ts';
import { minute, second } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import type { Turn } from '../../src/engine/host/turner.ts';
import { createService, type Service, type ServiceDeps } from '../../src/engine/service.ts';
import type { Checkpoints } from '../../src/ports/checkpoints.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Cursors } from '../../src/ports/cursors.ts';
import type { EventLog, LogRecord } from '../../src/ports/event-log.ts';
import type { Notifier } from '../../src/ports/notifier.ts';
import type { Shares } from '../../src/ports/shares.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Views } from '../../src/ports/views.ts';
import type { Tampering } from './life.ts';

/** What one role is given instead of the plain parts. */
export type Lie = (deps: ServiceDeps) => Partial<ServiceDeps>;
export type Lies = { readonly [role in 'host' | 'effects' | 'project']?: Lie };

/** The real service, each of its roles by itself, so that one of them can be lied to. */
export function apart(deps: ServiceDeps, lies: Lies): Service {
  const [host, effects, project] = (['host', 'effects', 'project'] as const).map((role) =>
    createService({ ...deps, ...lies[role]?.(deps), roles: new Set([role]) }),
  ) as [Service, Service, Service]; // one for each role
  return {
    ...host,
    async start() {
      for (const part of [host, effects, project]) await part.start();
    },
    async stop(graceMs) {
      for (const part of [effects, host, project]) await part.stop(graceMs);
    },
    acting: () => effects.acting(),
    drain: () => effects.drain(),
    rest: () => host.rest(),
    stepsUnderWay: () => effects.stepsUnderWay(),
    load: () => ({ waits: host.load().waits, underWay: effects.load().underWay }),
  };
}

export function lying(lies: Lies): Tampering {
  return { service: (deps) => apart(deps, lies) };
}

export function withLog(log: (real: EventLog, deps: ServiceDeps) => EventLog): Lie {
  return (deps) => ({ shared: { ...deps.shared, log: log(deps.shared.log, deps) } });
}

export function sharing(lie: (real: Shares, deps: ServiceDeps) => Partial<Shares>): Lie {
  return (deps) => ({ shares: (role) => ({ ...deps.shares(role), ...lie(deps.shares(role), deps) }) });
}

/** Behind each request it shows a grant that nobody gave; half a number, so that the tail takes it for new. */
export function forgingGrants(log: EventLog): EventLog {
  const { watched, nameOf } = claimants(log);
  const forge = (record: LogRecord): LogRecord[] => {
    const fact = record.value as Fact; // facts are written by the host only
    if (fact.type !== 'StepRequested') return [record];
    const { scope, seq, at, run, call } = fact;
    return [record, { ...record, value: grantTo(() => nameOf(record.partition), { scope, seq: seq + 0.5, at, run, call }) }];
  };
  return {
    ...watched,
    read: async (topic, ...rest) => (topic === 'facts' ? (await log.read(topic, ...rest)).flatMap(forge) : log.read(topic, ...rest)),
  };
}

/** The same of words to people: whoever claims one delivers it at once, in words that nobody gave. */
export function forgingWords(log: EventLog): EventLog {
  const { watched, nameOf } = claimants(log, 'NotifyClaimed');
  const forge = (record: LogRecord): LogRecord[] => {
    const fact = record.value as Fact; // facts are written by the host only
    if (fact.type !== 'NotifyRequested') return [record];
    const { scope, seq, at, page, incident, notifier, attempt, notification } = fact;
    const words = { dedupKey: page, title: '', severity: 'critical', text: '', source: '', facts: [], links: [] } as const;
    const granted: NotifyGranted = {
      type: 'NotifyGranted',
      scope,
      seq: seq + 0.5,
      at,
      page,
      incident,
      notifier,
      attempt,
      outgoing: notification.id,
      notification: { ...words, ...notification, incident, page, at },
      get worker() {
        return nameOf(record.partition);
      },
    };
    return [record, { ...record, value: granted }];
  };
  return {
    ...watched,
    read: async (topic, ...rest) => (topic === 'facts' ? (await log.read(topic, ...rest)).flatMap(forge) : log.read(topic, ...rest)),
  };
}

/** Every grant to an earlier term of the process is one to this term. */
export function sameInEveryTerm(log: EventLog, process: string): EventLog {
  const { watched, nameOf } = claimants(log);
  const ours = (record: LogRecord): LogRecord => {
    const fact = record.value as Fact; // facts are written by the host only
    if (fact.type !== 'StepGranted' || !fact.worker.startsWith(`${process}.`)) return record;
    return { ...record, value: grantTo(() => nameOf(record.partition), fact) };
  };
  return {
    ...watched,
    read: async (topic, ...rest) => (topic === 'facts' ? (await log.read(topic, ...rest)).map(ours) : log.read(topic, ...rest)),
  };
}

/** The name under which each partition's calls were claimed last, looked up when it is asked for. */
function claimants(
  log: EventLog,
  claim: 'StepClaimed' | 'NotifyClaimed' = 'StepClaimed',
): { readonly watched: EventLog; nameOf(partition: number): string } {
  const names = new Map<number, string>();
  return {
    watched: {
      ...log,
      append(topic, batch) {
        const [value] = batch.values;
        if (value !== undefined && 'worker' in value && 'type' in value && value.type === claim)
          names.set(batch.partition, String(value.worker));
        return log.append(topic, batch);
      },
    },
    nameOf: (partition) => names.get(partition) ?? '',
  };
}

/** A grant whose worker is looked up when it is asked for: by then it has claimed. */
function grantTo(worker: () => string, { scope, seq, at, run, call }: Omit<StepGranted, 'type' | 'worker'>): StepGranted {
  return {
    type: 'StepGranted',
    scope,
    seq,
    at,
    run,
    call,
    get worker() {
      return worker();
    },
  };
}

/** No fact has the number of an earlier one. */
export function renumbered(log: EventLog): EventLog {
  let seq = 0;
  const anew = (record: LogRecord): LogRecord => ({ ...record, value: { ...(record.value as Fact), seq: (seq += 1) } }); // of the host
  return {
    ...log,
    read: async (topic, ...rest) => (topic === 'facts' ? (await log.read(topic, ...rest)).map(anew) : log.read(topic, ...rest)),
  };
}

/** What a turn is made to believe of the run that a worker claims a call of; gives back how to make the desk true again. */
export type Blindness = (desk: Desk, run: Run, rules: DecisionContext) => { readonly rules: DecisionContext; readonly undo: () => void };

/** Grants of steps are given by a desk that does not see one thing about the present. */
export function blind(to: Blindness): Lie {
  const blinded: Turn = (desk, input, rules, offset) => {
    const run = input.type === 'StepClaimed' ? desk.tables.runs.rows.get(input.run) : undefined;
    if (run === undefined) return turn(desk, input, rules, offset);
    const belief = to(desk, run, rules);
    const facts = turn(desk, input, belief.rules, offset);
    belief.undo();
    return facts;
  };
  return () => ({ turn: blinded });
}

/** Grants of words are given by a desk on which every page still rings. */
export const toAcknowledgements: Turn = (desk, input, rules, offset) => {
  const { rows } = desk.tables.pages;
  const page = input.type === 'NotifyClaimed' ? rows.get(input.page) : undefined;
  if (page?.state !== 'acked') return turn(desk, input, rules, offset);
  rows.set(page.id, { ...page, state: 'ringing' });
  const facts = turn(desk, input, rules, offset);
  rows.set(page.id, { ...(rows.get(page.id) ?? page), state: page.state });
  return facts;
};

/** A claim of a word is granted as often as it likes: here twice. */
export const grantingTwice: Turn = (desk, input, rules, offset) =>
  input.type === 'NotifyClaimed'
    ? [...turn(desk, input, rules, offset), ...turn(desk, input, rules, offset)]
    : turn(desk, input, rules, offset);

/** Every claim is heard as this makes of it. */
export function hearing(as: (event: AlertEvent) => AlertEvent): Lie {
  return () => ({
    turn: (desk, input, rules, offset) =>
      turn(desk, input.type === 'AlertSeen' ? { ...input, event: as(input.event) } : input, rules, offset),
  });
}

/** Nobody looks when the time is over for which a source holds an alert back. */
export const sleeping: Turn = (desk, input, rules, offset) =>
  turn(desk, input.type === 'Woke' && input.token.startsWith('sourceMute|') ? { ...input, token: '' } : input, rules, offset);

/** A lease lasts as long as the first word of the episode said, however often it is told again. */
export function unrenewed(): (event: AlertEvent) => AlertEvent {
  const first = new Map<string, number>();
  return (event) => {
    if (event.until === undefined) return event;
    const key = `${event.fingerprint} ${event.episode}`;
    first.set(key, first.get(key) ?? event.until);
    return { ...event, until: first.get(key) ?? event.until };
  };
}

/** Nothing is known of the clocks of senders. */
export const trusting: Turn = (desk, input, rules, offset) => {
  const { rows } = desk.tables.senders;
  for (const [endpoint, sender] of rows) if (sender.skewMs !== 0) rows.set(endpoint, { ...sender, skewMs: 0 });
  return turn(desk, input, rules, offset);
};

/** Nobody remembers how often a sender repeats what lasts. */
export const unlearning: Turn = (desk, input, rules, offset) => {
  const { rows } = desk.tables.senders;
  for (const [endpoint, { gaps, ...sender }] of rows) if (gaps !== undefined) rows.set(endpoint, sender);
  return turn(desk, input, rules, offset);
};

/** Whoever took an incident that has no page has just taken it. */
export const forgiving: Turn = (desk, input, rules, offset) => {
  const { rows } = desk.tables.incidents;
  for (const [id, incident] of rows) {
    const { acked, page, state } = incident;
    if (state === 'acknowledged' && page === null && acked !== null) rows.set(id, { ...incident, acked: { ...acked, at: input.at } });
  }
  return turn(desk, input, rules, offset);
};

/** Nothing is known of episodes that are over. */
export const oblivious: Turn = (desk, input, rules, offset) => {
  const { alerts, remembered } = desk.tables;
  for (const [key, row] of alerts.rows) {
    const { ended, lastEnd, ...alert } = row.alert;
    if (ended !== undefined || lastEnd !== undefined) alerts.rows.set(key, { ...row, alert });
  }
  remembered.rows.clear();
  return turn(desk, input, rules, offset);
};

/** Nothing knows which incidents are under a storm: they do not hear that it is over, that it calls nobody, or that somebody has it. */
export const alone: Turn = (desk, input, rules, offset) => {
  desk.indexes.childrenByStorm.clear();
  desk.indexes.openChildren.clear();
  return turn(desk, input, rules, offset);
};

/** Whoever has an incident has whatever comes to it. */
export const covering: Turn = (desk, input, rules, offset) => {
  const { alerts, incidents } = desk.tables;
  for (const incident of incidents.rows.values()) {
    const { taken, listed } = incident;
    if (taken === undefined) continue;
    const seen = input.type === 'AlertSeen' ? [input.event.fingerprint] : [];
    const members = Object.fromEntries([...listed, ...seen].map((fingerprint) => [fingerprint, 'critical' as const]));
    const names = listed.flatMap((fingerprint) => alerts.rows.get(fingerprint)?.alert.name ?? []);
    const known = Object.fromEntries(names.map((name) => [name, 'critical' as const]));
    incidents.rows.set(incident.id, { ...incident, taken: { ...taken, covers: { severity: 'critical', members, rules: known } } });
  }
  return turn(desk, input, rules, offset);
};

/** Takes the incident for one that nobody has. */
export const toPeople: Blindness = (desk, run, rules) => {
  const { rows } = desk.tables.incidents;
  const incident = rows.get(run.incident);
  if (incident?.state !== 'acknowledged') return { rules, undo: () => {} };
  rows.set(incident.id, { ...incident, state: 'open', acked: null });
  return {
    rules,
    undo: () => rows.set(incident.id, { ...(rows.get(incident.id) ?? incident), state: incident.state, acked: incident.acked }),
  };
};

/** Does not hear of the emergency stop. */
export const toFreezes: Blindness = (_desk, _run, rules) => ({ rules: { ...rules, frozen: null }, undo: () => {} });

/** Whatever the desk of a resource says is heard as a grant. */
export const ungranted: Lie = () => ({
  turn: (desk, input, rules, offset) =>
    turn(desk, input.type === 'ResourceTold' ? { ...input, answer: { verdict: 'granted' } } : input, rules, offset),
});

/** Groups let everybody through. */
export const boundless: Lie = () => ({
  turn(desk, input, rules, offset) {
    const { group } = input.type === 'ResourceWanted' ? input : {};
    if (input.type !== 'ResourceWanted' || group === undefined) return turn(desk, input, rules, offset);
    const { want } = input;
    return turn(desk, { ...input, want: { ...want, through: { group, blast: { max: 1_000, perMs: 1 } } } }, rules, offset);
  },
});

export function unfenced(store: Store, { loaders }: MemoryDisk): Store {
  const { checkpoints } = store;
  const load: Checkpoints['load'] = async (partition, take) => {
    const mark = await checkpoints.load(partition, take);
    loaders.delete(partition);
    return mark;
  };
  return { ...store, checkpoints: { ...checkpoints, load } };
}

/** Every partition is begun with twice. */
export function twice({ gained, lost }: Parameters<Shares['start']>[0]): Parameters<Shares['start']>[0] {
  return {
    async gained(partition) {
      await gained(partition);
      await gained(partition);
    },
    lost,
  };
}

export function onlyEarly(told: Parameters<Shares['start']>[0], clock: Clock): Parameters<Shares['start']>[0] {
  return { ...told, gained: async (partition) => (clock.steady() < minute ? told.gained(partition) : undefined) };
}

/** Notifiers hear of no withdrawal. */
export function holding(deps: ServiceDeps): ServiceDeps {
  const deafened = deps.notifiers
    .entries()
    .map(([name, notifier]): [string, Notifier] => [name, { deliver: (notification, signal) => notifier.deliver(notification, signal) }]);
  return { ...deps, notifiers: new Map(deafened) };
}

/** Of what a message tells besides nobody hears that it is over, or taken. */
export function deafToCompanions(log: EventLog): EventLog {
  const companions = new Set<string>();
  const heard = (record: LogRecord): LogRecord => {
    const fact = record.value as Fact; // facts are written by the host only
    if (fact.type === 'NotifyGranted') {
      companions.delete(fact.page);
      for (const { page } of fact.notification.also ?? []) companions.add(page);
    }
    const isOver = (fact.type === 'PageAcked' || fact.type === 'PageClosed') && companions.has(fact.page);
    return isOver ? { ...record, value: { ...fact, type: 'IncidentNoted', by: '', text: '' } } : record;
  };
  return {
    ...log,
    read: async (topic, ...rest) => (topic === 'facts' ? (await log.read(topic, ...rest)).map(heard) : log.read(topic, ...rest)),
  };
}

/** Nothing tells a page that what told it, too, is over. */
export function withoutLeaders(log: EventLog): EventLog {
  return withoutWakes(log, /^rung\|.*\|true$/);
}

/** Every notifier says the same, and does nothing. */
export function answering(deps: ServiceDeps, outcome: NotifyOutcome): ServiceDeps {
  return { ...deps, notifiers: new Map(deps.notifiers.keys().map((name) => [name, { deliver: async () => outcome }])) };
}

/** Nothing tells a page that its time is over: no rung, no retry. */
export function withoutRungs(log: EventLog): EventLog {
  return withoutWakes(log, /^(rung|reach|notify)\|/);
}

/** Nothing tells a page that nobody on its rung was told, nor that it is time to try again. */
export function withoutReach(log: EventLog): EventLog {
  return withoutWakes(log, /^(reach\||notify\|.*\|retry)/);
}

/** What must be known is tried once. */
export const impatient: Turn = (desk, input, rules, offset) => {
  const { policy } = rules;
  const delivery = { keepTryingMs: 0, lastResort: [], bundleMs: policy.delivery?.bundleMs ?? 0 };
  return turn(desk, input, { ...rules, policy: { ...policy, delivery } }, offset);
};

/** Nothing tells a notifier's bundle that its span is over. */
export function withoutBundles(log: EventLog): EventLog {
  return withoutWakes(log, /^bundle\|/);
}

function withoutWakes(log: EventLog, which: RegExp): EventLog {
  return {
    ...log,
    async append(topic, batch) {
      const values = batch.values.filter((value) => !('token' in value && which.test(String(value.token))) || topic === 'facts');
      return values.length === 0 ? log.end(topic, batch.partition) : log.append(topic, { ...batch, values });
    },
  };
}

/** The cursor of whoever begins stands at the end of the facts. */
export function ahead({ cursors, log }: ServiceDeps['shared']): Cursors {
  return { ...cursors, load: async (name, partition) => Math.max(await cursors.load(name, partition), await log.end('facts', partition)) };
}

/** Every twentieth timer of a second or more never rings. */
export function forgetful(clock: Clock): Clock {
  let count = 0;
  return {
    ...clock,
    after(span, call) {
      count += span >= second ? 1 : 0;
      return clock.after(span, span >= second && count % 20 === 0 ? () => {} : call);
    },
  };
}

/** Of all rows, every fiftieth is not saved. */
export function losing(checkpoints: Checkpoints): Checkpoints {
  let count = 0;
  return {
    ...checkpoints,
    save: (partition, mark, rows) =>
      checkpoints.save(
        partition,
        mark,
        rows.filter(() => (count += 1) % 50 !== 0),
      ),
  };
}

/** The cursor first, in a step of its own. */
export function eager(views: Views, cursors: Cursors): Views {
  return {
    ...views,
    async apply(batch) {
      const { cursor, partition, offset } = batch;
      await cursors.save(cursor, partition, offset);
      await cursors.save(cursor, partition, offset - 1);
      await views.apply(batch);
    },
  };
}

/** Nobody is told that the clock was set right. */
export function uncorrected(log: EventLog): EventLog {
  return {
    ...log,
    append(topic, batch) {
      const [first] = batch.values;
      const isCorrection = first !== undefined && 'type' in first && first.type === 'ClockCorrected';
      return isCorrection ? log.end(topic, batch.partition) : log.append(topic, batch);
    },
  };
}
