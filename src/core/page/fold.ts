// Facts about pages, folded into rows. Decides nothing.
import type { Desk, Folds } from '../desk.ts';
import { change, put } from '../table.ts';
import type { NotifyFinished, NotifyRequested, PageOpened, PageRang } from './facts.ts';
import type { Outgoing, Page } from './row.ts';

const outgoingKept = 64;

export const pageFolds: Folds<'PageOpened' | 'PageRang' | 'NotifyRequested' | 'NotifyFinished' | 'PageAcked' | 'PageClosed'> = {
  PageOpened: foldOpened,
  PageRang: foldRang,
  NotifyRequested: (desk, fact) => change(desk.tables.pages, fact.page, (page) => requestedNotice(page, fact)),
  NotifyFinished: (desk, fact) => change(desk.tables.pages, fact.page, (page) => finishedNotice(page, fact)),
  PageAcked: (desk, fact) => change(desk.tables.pages, fact.page, (page) => ({ ...page, state: 'acked' as const, ackedBy: fact.by })),
  PageClosed: (desk, fact) => change(desk.tables.pages, fact.page, (page) => ({ ...page, state: 'closed' as const })),
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

function rungPage(page: Page, fact: PageRang): Page {
  const { round, rung, ring, reason, severity, era } = fact;
  const also = { ...(severity === undefined ? {} : { severity }), ...(era === undefined ? {} : { era }) };
  return { ...page, state: 'ringing', round, rung, ring, reason: reason ?? page.reason, ...also };
}

function requestedNotice(page: Page, fact: NotifyRequested): Page {
  const { id } = fact.notification;
  const sent: Outgoing = {
    notification: fact.notification,
    notifier: fact.notifier,
    attempt: fact.attempt,
    ring: page.outgoing.find((outgoing) => outgoing.notification.id === id)?.ring ?? page.ring,
    state: 'sent',
  };
  const others = page.outgoing.filter((outgoing) => outgoing.notification.id !== id);
  return { ...page, outgoing: [...others, sent].slice(-outgoingKept) };
}

function finishedNotice(page: Page, fact: NotifyFinished): Page {
  const state = fact.retry ? 'waiting' : fact.outcome.outcome === 'accepted' ? 'accepted' : 'refused';
  const outgoing = page.outgoing.map((each): Outgoing => (each.notification.id === fact.notification ? { ...each, state } : each));
  const reached = fact.outcome.outcome === 'accepted' || fact.outcome.outcome === 'unknown';
  const told = reached && !page.told.includes(fact.notifier) ? [...page.told, fact.notifier] : page.told;
  return { ...page, outgoing, told };
}
