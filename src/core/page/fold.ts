// Facts about pages, folded into rows. Decides nothing.
import type { Desk, Folds } from '../desk.ts';
import { change, put } from '../table.ts';
import type { NotifyDropped, NotifyFinished, NotifyGranted, NotifyRequested, PageAcked, PageOpened, PageRang } from './facts.ts';
import { erasTold, type Outgoing, type Page } from './row.ts';

const outgoingKept = 64;
const recipientsKept = 50;
const erasKept = 8;

type PageFact =
  | 'PageOpened'
  | 'PageRang'
  | 'PageReachChanged'
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
  NotifyRequested: (desk, fact) => change(desk.tables.pages, fact.page, (page) => requestedNotice(page, fact)),
  NotifyGranted: (desk, fact) => change(desk.tables.pages, fact.page, (page) => grantedNotice(page, fact)),
  NotifyDropped: (desk, fact) => change(desk.tables.pages, fact.page, (page) => droppedNotice(page, fact)),
  NotifyFinished: (desk, fact) => change(desk.tables.pages, fact.page, (page) => finishedNotice(page, fact)),
  PageAcked: (desk, fact) => change(desk.tables.pages, fact.page, (page) => ackedPage(page, fact)),
  PageClosed: (desk, fact) => change(desk.tables.pages, fact.page, (page) => ({ ...page, state: 'closed' as const, reach: null })),
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

function rungPage({ takenOver: _stale, storm: _spokenFor, ...page }: Page, fact: PageRang): Page {
  const { round, rung, ring, carried = [], severity = page.severity, era = page.era } = fact;
  const { reason = page.reason, ladder = page.ladder } = fact;
  const also = { ...(severity === undefined ? {} : { severity }), ...(era === undefined ? {} : { era }) };
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

function requestedNotice(page: Page, fact: NotifyRequested): Page {
  const { id, kind } = fact.notification;
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
  };
  const others = page.outgoing.filter((outgoing) => outgoing.id !== id);
  return { ...page, outgoing: kept([...others, asked]) };
}

/** Those that have ended go first, the oldest of them before the others. */
function kept(outgoing: readonly Outgoing[]): readonly Outgoing[] {
  let beyond = outgoing.length - outgoingKept;
  if (beyond <= 0) return outgoing;
  const left = outgoing.filter(({ state }) => !(hasEnded(state) && beyond-- > 0));
  return left.slice(-outgoingKept);
}

function hasEnded(state: Outgoing['state']): boolean {
  return state === 'accepted' || state === 'refused' || state === 'dropped';
}

function grantedNotice(page: Page, fact: NotifyGranted): Page {
  return changed(page, fact.outgoing, (each) => {
    const { era: _before, ...rest } = each;
    const { era } = fact.notification;
    return { ...rest, state: 'granted', grant: fact.seq, ...(era === undefined ? {} : { era }) };
  });
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
  return { ...after, told, ...erasAfter(page, fact, reached) };
}

/** In which eras the notifier may have told somebody, the newest few; nothing while era 0 is all there was. */
function erasAfter(page: Page, { notifier, notification }: NotifyFinished, reached: boolean): Pick<Page, 'eras'> | Record<string, never> {
  const sent = page.outgoing.find(({ id }) => id === notification);
  if (!reached || sent === undefined || sent.kind === 'resolve' || sent.kind === 'acknowledged') return {};
  const era = sent.era ?? 0;
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
