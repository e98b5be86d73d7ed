// Facts about pages, folded into rows. Decides nothing.
import type { Desk, Folds } from '../desk.ts';
import { change, put } from '../table.ts';
import type {
  NotifyDropped,
  NotifyFinished,
  NotifyGranted,
  NotifyHeld,
  NotifyRequested,
  PageAcked,
  PageOpened,
  PageRang,
} from './facts.ts';
import { rings } from './notification.ts';
import { bundleKey, erasTold, type Outgoing, type Page } from './row.ts';

const outgoingKept = 64;
const recipientsKept = 50;
const erasKept = 8;

type PageFact =
  | 'PageOpened'
  | 'PageRang'
  | 'PageReachChanged'
  | 'NotifyHeld'
  | 'NotifyRequested'
  | 'NotifyGranted'
  | 'NotifyDropped'
  | 'NotifyFinished'
  | 'PageAcked'
  | 'PageClosed';

export const pageFolds: Folds<PageFact> = {
  PageOpened: foldOpened,
  PageRang: foldRang,
  PageReachChanged: (desk, fact) => change(desk.tables.pages, fact.page, (page) => ({ ...page, reach: fact.reach })),
  NotifyHeld: foldHeld,
  NotifyRequested: foldRequested,
  NotifyGranted: foldGranted,
  NotifyDropped: foldDropped,
  NotifyFinished: foldFinished,
  PageAcked: (desk, fact) => change(desk.tables.pages, fact.page, (page) => ackedPage(page, fact)),
  PageClosed: (desk, { page: id, end }) =>
    change(desk.tables.pages, id, (page) => ({ ...page, state: 'closed' as const, reach: null, ...(end === undefined ? {} : { end }) })),
};

function foldOpened(desk: Desk, fact: PageOpened): void {
  put(desk.tables.pages, fact.page, openedPage(fact));
  change(desk.tables.incidents, fact.incident, (incident) => ({ ...incident, page: fact.page, pages: [...incident.pages, fact.page] }));
}

function openedPage(fact: PageOpened): Page {
  return {
    id: fact.page,
    incident: fact.incident,
    ladder: fact.ladder,
    title: fact.title,
    reason: fact.reason,
    state: 'ringing',
    openedAt: fact.at,
    round: 0,
    rung: 0,
    ring: 0,
    outgoing: [],
    told: [],
    ackedBy: null,
    dedupKey: fact.dedupKey ?? `quench:${fact.incident}`,
    reach: null,
  };
}

function foldRang(desk: Desk, fact: PageRang): void {
  change(desk.tables.pages, fact.page, (page) => rungPage(page, fact));
  // It has rung for what was new; the page says why from here on.
  change(desk.tables.incidents, fact.incident, (incident) => {
    const { news, ...rest } = incident;
    return news === undefined ? incident : rest;
  });
}

function rungPage({ takenOver: _stale, storm: _spokenFor, about: _before, ...page }: Page, fact: PageRang): Page {
  const { round, rung, ring, carried = [], severity = page.severity, era = page.era } = fact;
  const { reason = page.reason, ladder = page.ladder } = fact;
  const { criticals = page.criticals, about } = fact;
  const isAnew = page.ring > 0 && (fact.kind === 'risen' || fact.kind === 'joined');
  const also = {
    ...(severity === undefined ? {} : { severity }),
    ...(era === undefined ? {} : { era }),
    ...(criticals === undefined ? {} : { criticals }),
    ...(about === undefined ? {} : { about }),
    ...(isAnew ? { anewAt: fact.at } : {}),
  };
  const kinds = new Map(carried.map(({ notification, kind }) => [notification, kind]));
  const outgoing = page.outgoing.map((each): Outgoing => {
    const kind = kinds.get(each.id);
    return kind === undefined ? each : { ...each, kind, ring };
  });
  return { ...page, state: 'ringing', round, rung, ring, reason, ladder, outgoing, ...also };
}

function ackedPage({ storm: _before, ...page }: Page, fact: PageAcked): Page {
  const again = page.state === 'acked' ? { takenOver: fact.seq } : {};
  const spokenFor = fact.storm === undefined ? {} : { storm: fact.storm };
  return { ...page, state: 'acked', ackedBy: fact.by, reach: null, ...again, ...spokenFor };
}

function foldHeld(desk: Desk, fact: NotifyHeld): void {
  const { page, notifier, notification, at } = fact;
  change(desk.tables.pages, page, (row) => ({
    ...row,
    outgoing: kept([...row.outgoing, { ...notification, notifier, attempt: 1, ring: row.ring, state: 'held', since: at }]),
  }));
  change(desk.tables.bundles, bundleKey(notifier, notification.kind), (bundle) => ({
    ...bundle,
    waiting: [...bundle.waiting, { page, notification: notification.id }],
  }));
}

/** What is asked for waits no longer, and what its message tells besides is in its hands. */
function foldRequested(desk: Desk, fact: NotifyRequested): void {
  const { page: id, notifier, notification, bundle, with: others = [] } = fact;
  change(desk.tables.pages, id, (page) => requestedNotice(page, fact));
  for (const { page, notification: other } of others) {
    if (desk.tables.pages.rows.has(page))
      change(desk.tables.pages, page, (row) => changed(row, other, (each) => ({ ...each, state: 'bundled' })));
  }
  const key = bundleKey(notifier, notification.kind);
  noLonger(desk, key, [notification.id, ...others.map((other) => other.notification)]);
  if (bundle !== undefined) put(desk.tables.bundles, key, { ...bundle, waiting: desk.tables.bundles.rows.get(key)?.waiting ?? [] });
}

/** These wait for others no longer. */
function noLonger(desk: Desk, key: string, ids: readonly string[]): void {
  const bundle = desk.tables.bundles.rows.get(key);
  if (bundle?.waiting.some(({ notification }) => ids.includes(notification)) !== true) return;
  put(desk.tables.bundles, key, { ...bundle, waiting: bundle.waiting.filter(({ notification }) => !ids.includes(notification)) });
}

function foldDropped(desk: Desk, fact: NotifyDropped): void {
  change(desk.tables.pages, fact.page, (page) => droppedNotice(page, fact));
  for (const kind of ['page', 'repeat'] as const) noLonger(desk, bundleKey(fact.notifier, kind), [fact.notification]);
}

function foldGranted(desk: Desk, fact: NotifyGranted): void {
  const before = desk.tables.pages.rows.get(fact.page)?.outgoing.find(({ id }) => id === fact.outgoing);
  change(desk.tables.pages, fact.page, (page) => grantedNotice(page, fact));
  if (before?.state === 'granted') mayHaveTold(desk, before);
}

function foldFinished(desk: Desk, fact: NotifyFinished): void {
  const sent = desk.tables.pages.rows.get(fact.page)?.outgoing.find(({ id }) => id === fact.notification);
  change(desk.tables.pages, fact.page, (page) => finishedNotice(page, fact));
  if (fact.outcome.outcome === 'unknown' && sent !== undefined) mayHaveTold(desk, sent);
}

/** A message that may have arrived may have told what it tells besides. */
function mayHaveTold(desk: Desk, { notifier, with: others = [] }: Outgoing): void {
  for (const { page, notification } of others) {
    const row = desk.tables.pages.rows.get(page);
    const isTold = row?.outgoing.some(({ id, state }) => id === notification && state === 'bundled');
    if (row !== undefined && isTold === true) put(desk.tables.pages, page, { ...row, ...toldWithOthers(row, notifier) });
  }
}

/** Told in another page's message: whoever was told hears of the end, and a vendor that keeps something for each page has nothing of it. */
function toldWithOthers({ told, eras }: Page, notifier: string): Pick<Page, 'told' | 'eras'> | Record<string, never> {
  return told.includes(notifier) ? {} : { told: [...told, notifier], eras: { ...eras, [notifier]: [] } };
}

function requestedNotice(page: Page, fact: NotifyRequested): Page {
  const { id, kind } = fact.notification;
  const others = fact.with ?? [];
  const before = page.outgoing.find((outgoing) => outgoing.id === id);
  const asked: Outgoing = {
    id,
    kind: before?.kind ?? kind,
    notifier: fact.notifier,
    attempt: fact.attempt,
    ring: before?.ring ?? page.ring,
    state: 'asked',
    since: before?.since ?? fact.at,
    ...(before?.left === undefined ? {} : { left: before.left }),
    ...(before?.era === undefined ? {} : { era: before.era }),
    ...(before?.heard === true ? { heard: true } : {}),
    ...(others.length > 0 ? { with: others } : before?.with === undefined ? {} : { with: before.with }),
  };
  const rest = page.outgoing.filter((outgoing) => outgoing.id !== id);
  return { ...page, outgoing: kept([...(others.length > 0 ? rest.map(alone) : rest), asked]) };
}

/** Those that have ended go first, the oldest of them before the others. */
function kept(outgoing: readonly Outgoing[]): readonly Outgoing[] {
  let beyond = outgoing.length - outgoingKept;
  if (beyond <= 0) return outgoing;
  const left = outgoing.filter(({ state }) => !(hasEnded(state) && beyond-- > 0));
  return left.slice(-outgoingKept);
}

/** Only the newest message that told others says which. */
function alone({ with: others, ...outgoing }: Outgoing): Outgoing {
  return others === undefined || hasEnded(outgoing.state) ? outgoing : { ...outgoing, with: others };
}

function hasEnded(state: Outgoing['state']): boolean {
  return state === 'accepted' || state === 'refused' || state === 'dropped';
}

/** Granted anew: whoever it was granted to before is gone, and may have told somebody, whatever the next attempt comes to. */
function grantedNotice(page: Page, fact: NotifyGranted): Page {
  const before = page.outgoing.find(({ id }) => id === fact.outgoing);
  const after = changed(page, fact.outgoing, (each) => {
    const { era: _before, ...rest } = each;
    const { era } = fact.notification;
    return { ...rest, state: 'granted', grant: fact.seq, ...(era === undefined ? {} : { era }) };
  });
  if (before?.state !== 'granted' || !rings[before.kind]) return after;
  const told = page.told.includes(fact.notifier) ? page.told : [...page.told, fact.notifier];
  return { ...after, told, ...erasWith(page, before) };
}

function droppedNotice(page: Page, fact: NotifyDropped): Page {
  return changed(page, fact.notification, (each) => ({ ...withoutPlans(each), state: 'dropped' }));
}

function finishedNotice(page: Page, fact: NotifyFinished): Page {
  const { outcome, retry, retryAt } = fact;
  const isAccepted = outcome.outcome === 'accepted';
  const left = outcome.outcome === 'accepted' || outcome.outcome === 'deferred' ? outcome.left : undefined;
  const state = retry ? 'waiting' : isAccepted ? 'accepted' : 'refused';
  const reached = isAccepted || outcome.outcome === 'unknown';
  const told = reached && !page.told.includes(fact.notifier) ? [...page.told, fact.notifier] : page.told;
  const after = changed(page, fact.notification, (each) => ({
    ...withoutPlans(each),
    state,
    ...(retryAt === undefined ? {} : { dueAt: retryAt }),
    ...(retry && left !== undefined ? { left: left.slice(0, recipientsKept) } : {}),
    ...(retry && isAccepted ? { heard: true } : {}),
  }));
  if (fact.with !== undefined) return { ...after, ...(reached ? toldWithOthers(page, fact.notifier) : {}) };
  return { ...after, told, ...erasAfter(page, fact, reached) };
}

/** In which eras the notifier may have told somebody, the newest few; nothing while era 0 is all there was. */
function erasAfter(page: Page, { notification }: NotifyFinished, reached: boolean): Pick<Page, 'eras'> | Record<string, never> {
  const sent = page.outgoing.find(({ id }) => id === notification);
  return !reached || sent === undefined || sent.kind === 'resolve' || sent.kind === 'acknowledged' ? {} : erasWith(page, sent);
}

function erasWith(page: Page, { notifier, era = 0 }: Outgoing): Pick<Page, 'eras'> | Record<string, never> {
  const before = erasTold(page, notifier);
  if (before.includes(era) || (era === 0 && before.length === 0 && page.eras === undefined)) return {};
  const eras = [...before, era].toSorted((a, b) => a - b).slice(-erasKept);
  return { eras: { ...page.eras, [notifier]: eras } };
}

function changed(page: Page, id: string, how: (each: Outgoing) => Outgoing): Page {
  return { ...page, outgoing: page.outgoing.map((each) => (each.id === id ? how(each) : each)) };
}

function withoutPlans({ grant: _grant, dueAt: _dueAt, ...rest }: Outgoing): Outgoing {
  return rest;
}
