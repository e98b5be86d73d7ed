// What thirty minutes of a gateway's life come to: its own log against what senders know and vendors keep.
//   unreached  an episode that pages fired for long and nobody was called for it;
//   stale      a word that was told and not true when it left, or that the log granted against what it said itself;
//   left open  something at a vendor that is still open when everything has ended;
//   lost       a delivery that was accepted and is not on the log, or an alert of it that was not decided, or more than once.
import { hash } from 'node:crypto';
import type { Fact, Input } from '../../src/core/records.ts';
import { rings } from '../../src/core/page/notification.ts';
import { followWords, staleAt, type Granted, type Words } from '../../test/process/words.ts';
import type { Episode } from './senders.ts';
import type { Book, Receipt } from './vendors.ts';

/** An episode that lasted longer must have called somebody: settling, a bundle, and a minute on each of two rungs that cannot be reached. */
export const reachWithinMs = 180_000;
/** From a source's word of the end, answered 2xx, to the last word that may say that it burns; more when the gateway was down then. */
const endKnownWithinMs = 10_000;
const mailDomain = 'example.org';

export interface Told {
  readonly episodes: readonly Episode[];
  readonly inputs: readonly { readonly offset: number; readonly value: Input }[];
  readonly facts: readonly Fact[];
  readonly book: Book;
  /** When the gateway was not there. */
  readonly away: readonly { readonly from: number; readonly to: number }[];
}

export interface Verdict {
  readonly unreached: readonly string[];
  readonly stale: readonly string[];
  readonly leftOpen: readonly string[];
  readonly lost: readonly string[];
  readonly lateMs: readonly number[];
  readonly counts: { readonly [name: string]: number };
}

interface Account {
  readonly incidentOf: Map<string, string>;
  readonly parents: Map<string, string>;
  readonly words: Words;
  /** What was granted, by vendor and the vendor's key; the newest last. */
  readonly granted: Map<string, Granted[]>;
  /** Times that each delivery's alert was decided. */
  readonly decided: Map<string, number>;
  drops: number;
  unreachedSaid: number;
}

export function verdictOn(told: Told): Verdict {
  const account = accountOf(told.facts);
  const members = membersOf(told, account);
  const heard = told.book.receipts.flatMap((receipt) => (receipt.taken ? [{ receipt, words: wordsOf(account, receipt) }] : []));
  const unknown = heard
    .filter(({ words }) => words === null)
    .map(({ receipt }) => `${receipt.vendor} ${receipt.key}: told and not on the log`);
  const { unreached, lateMs, excused } = reachOf(told, account, heard, members);
  return {
    unreached,
    stale: [...account.words.untrue, ...unknown, ...staleIn(told, account, heard, members)],
    leftOpen: leftOpenIn(told, account, heard),
    lost: lostIn(told, account),
    lateMs: lateMs.toSorted((a, b) => a - b),
    counts: {
      episodes: told.episodes.length,
      urgent: told.episodes.filter(({ urgentAt }) => urgentAt !== null).length,
      overBefore: excused,
      pages: account.words.pages.size,
      receipts: told.book.receipts.length,
      told: heard.length,
      toldRaw: heard.filter(({ receipt }) => receipt.incident === 'undecided').length,
      droppedAtGrant: account.drops,
      saidUnreached: account.unreachedSaid,
      inputs: told.inputs.length,
      facts: told.facts.length,
    },
  };
}

/** Folds the log; what it granted against its own word is stale. */
function accountOf(facts: readonly Fact[]): Account {
  const account: Account = {
    incidentOf: new Map(),
    parents: new Map(),
    words: followWords(),
    granted: new Map(),
    decided: new Map(),
    drops: 0,
    unreachedSaid: 0,
  };
  for (const fact of facts) {
    account.words.take(fact);
    switch (fact.type) {
      case 'AlertDecided':
        account.decided.set(deliveryOf(fact), (account.decided.get(deliveryOf(fact)) ?? 0) + 1);
        if (fact.incident !== null) account.incidentOf.set(deliveryOf(fact), fact.incident);
        break;
      case 'IncidentNested':
        account.parents.set(fact.incident, fact.parent);
        break;
      case 'NotifyDropped':
        account.drops += 1;
        break;
      case 'PageReachChanged':
        if (fact.reach === 'unreached') account.unreachedSaid += 1;
        break;
      default:
    }
  }
  for (const grant of account.words.granted)
    for (const key of keysOf(grant.fact)) account.granted.set(key, [...(account.granted.get(key) ?? []), grant]);
  return account;
}

/** By what a vendor knows a message. */
function keysOf({ notifier, notification }: Extract<Fact, { type: 'NotifyGranted' }>): readonly string[] {
  const { id, dedupKey, kind, era = 0, formerEras = [] } = notification;
  if (notifier === 'hook') return [`hook ${id}`];
  if (notifier === 'mail') return [`mail <quench.${hash('sha256', `${dedupKey}\n${id}`, 'hex').slice(0, 40)}@${mailDomain}>`];
  const action = kind === 'resolve' ? 'resolve' : kind === 'acknowledged' ? 'acknowledge' : 'trigger';
  const keyOf = (one: number): string => (one === 0 ? dedupKey : `${dedupKey}:${one}`);
  return [`pager ${keyOf(era)} ${action}`, ...formerEras.map((former) => `pager ${keyOf(former)} resolve`)];
}

/** What the log had granted when it arrived, the newest. */
function wordsOf({ granted: all }: Account, { vendor, key, action, at }: Receipt): Granted | null {
  const words = all.get(vendor === 'pager' ? `pager ${key} ${action}` : `${vendor} ${key}`) ?? [];
  return words.findLast((one) => one.fact.at <= at + 50) ?? null;
}

type Heard = readonly { readonly receipt: Receipt; readonly words: Granted | null }[];

/** Episodes by incident, and each one's incidents: by deliveries, as the log decided them. */
function membersOf({ episodes }: Told, { incidentOf }: Account): ReadonlyMap<string, readonly Episode[]> {
  const members = new Map<string, Set<Episode>>();
  for (const episode of episodes) {
    for (const delivery of episode.accepted) {
      const incident = incidentOf.get(delivery);
      if (incident !== undefined) members.set(incident, (members.get(incident) ?? new Set()).add(episode));
    }
  }
  return new Map([...members].map(([incident, all]) => [incident, [...all]]));
}

function reachOf(told: Told, account: Account, heard: Heard, members: ReadonlyMap<string, readonly Episode[]>) {
  const calls = new Map<string, { readonly at: number; readonly page: string }[]>();
  for (const { receipt, words } of heard) {
    if (words === null || !rings[words.fact.notification.kind]) continue;
    for (const page of words.pages) {
      const incident = account.words.pages.get(page)?.incident ?? '';
      calls.set(incident, [...(calls.get(incident) ?? []), { at: receipt.at, page }]);
    }
  }
  const incidentsOf = new Map<Episode, string[]>();
  for (const [incident, all] of members) for (const each of all) incidentsOf.set(each, [...(incidentsOf.get(each) ?? []), incident]);
  const unreached: string[] = [];
  const lateMs: number[] = [];
  let excused = 0;
  for (const episode of told.episodes) {
    const { urgentAt } = episode;
    if (urgentAt === null) continue;
    const overAt = Math.min(episode.endSentAt ?? Number.POSITIVE_INFINITY, episode.ackedAt ?? Number.POSITIVE_INFINITY);
    const incidents = (incidentsOf.get(episode) ?? []).flatMap((one) => [one, account.parents.get(one) ?? one]);
    const mine = incidents.flatMap((incident) => calls.get(incident) ?? []);
    // Called before, and the page rang on when it came: somebody knows of the incident already.
    const before = mine.some(({ at, page }) => at < urgentAt && stateAt(account, page, urgentAt) === 'ringing');
    const first = before ? urgentAt : Math.min(...mine.filter(({ at }) => at >= urgentAt).map(({ at }) => at));
    if (first <= overAt) lateMs.push(first - urgentAt);
    else if (overAt - urgentAt - awayWithin(told, urgentAt, overAt) <= reachWithinMs) excused += 1;
    else unreached.push(`${nameOf(episode)} fired for ${secondsOf(overAt - urgentAt)} (incidents ${incidents.join(', ') || 'none'})`);
  }
  return { unreached, lateMs, excused };
}

function stateAt({ words }: Account, page: string, at: number): string | null {
  return words.pages.get(page)?.states.findLast((one) => one.at <= at)?.state ?? null;
}

function awayWithin({ away }: Told, from: number, to: number): number {
  return away.reduce((sum, gap) => sum + Math.max(0, Math.min(to, gap.to) - Math.max(from, gap.from)), 0);
}

/** What was told and was over when it left: by the log's facts, and by what the senders know. */
function staleIn(told: Told, account: Account, heard: Heard, members: ReadonlyMap<string, readonly Episode[]>): readonly string[] {
  const stale: string[] = [];
  for (const { receipt, words } of heard) {
    if (words === null) continue;
    const { kind } = words.fact.notification;
    // PagerDuty's alert of an era before is ended by the ring that follows it.
    if (receipt.action === 'resolve' && kind !== 'resolve') continue;
    for (const each of staleAt(account.words, words, receipt.at)) stale.push(`${receipt.vendor}: ${each}`);
    for (const page of words.pages) {
      const row = account.words.pages.get(page);
      if (row === undefined) continue;
      const all = members.get(row.incident) ?? [];
      const begun = all.filter(({ beganAt }) => beganAt <= receipt.at);
      if (!rings[kind] || begun.length === 0) continue;
      const overAt = Math.max(...begun.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY));
      if (receipt.at - overAt > endKnownWithinMs + awayWithin(told, overAt, receipt.at))
        stale.push(
          `${receipt.vendor} was told ${kind} of ${row.incident}, ${secondsOf(receipt.at - overAt)} after its last source said that it is over`,
        );
    }
  }
  return stale;
}

/** Everything has ended, so that nothing may be open: no alert at the pager, and whoever was called by another way has heard of the end. */
function leftOpenIn({ book }: Told, account: Account, heard: Heard): readonly string[] {
  const open = [...book.alerts].flatMap(([key, { state, incident }]) =>
    state === 'resolved' ? [] : [`pager: ${key} of ${incident} is ${state}`],
  );
  const ended = new Set(
    heard.flatMap(({ receipt, words }) =>
      words?.fact.notification.kind === 'resolve' ? words.pages.map((page) => `${receipt.vendor} ${page}`) : [],
    ),
  );
  const called = new Set<string>();
  for (const { receipt, words } of heard) {
    if (words === null || !rings[words.fact.notification.kind] || receipt.vendor === 'pager') continue;
    for (const page of words.pages) called.add(`${receipt.vendor} ${page}`);
  }
  const unended = [...called].filter((key) => !ended.has(key)).map((key) => `${key}: called, never told of the end`);
  const pages = [...account.words.pages]
    .filter(([, { states }]) => states.at(-1)?.state !== 'closed')
    .map(([page]) => `page ${page} is not closed`);
  return [...open, ...unended, ...pages];
}

function lostIn({ episodes, inputs }: Told, { decided }: Account): readonly string[] {
  const seen = new Set<string>();
  for (const { value } of inputs) if (value.type === 'AlertSeen') seen.add(deliveryOf(value));
  // A delivery that came twice under its id is on the log twice and decided once.
  const undecided = [...seen].flatMap((id) => (decided.get(id) === 1 ? [] : [`${id} was decided ${decided.get(id) ?? 0} times`]));
  const lost = episodes.flatMap((episode) =>
    episode.accepted.filter((id) => !seen.has(id)).map((id) => `${id} of ${nameOf(episode)} was accepted and is not on the log`),
  );
  return [...lost, ...undecided];
}

/** The sender's own id; on the log the endpoint stands before it, and a digest of the body behind. */
function deliveryOf({ delivery }: { readonly delivery: string }): string {
  return delivery.split(':')[1] ?? '';
}

function nameOf({ number, sender, host, rule }: Episode): string {
  return `episode ${number} (${sender}, ${rule} on ${host})`;
}

function secondsOf(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
