// The final accounts of a cluster, from its topics themselves: what is on the inputs, what was decided, what may have been done.
// Reads every record from the first on and folds it; knows no gateway.
import { hash } from 'node:crypto';
import type { KafkaOptions } from '../../../adapters/kafka/options.ts';
import type { Fact, Input } from '../../../src/core/records.ts';
import type { EventLog, Topic } from '../../../src/ports/event-log.ts';
import { followWords, type Words } from '../../process/words.ts';
import { openShared } from './watch.ts';

const recordsPerRead = 2_000;

export interface Grant {
  readonly worker: string;
  readonly at: number;
}

/** What the log says in the end; keys of alerts are `scope|delivery|index`, of calls `run/call`. */
export interface Account {
  readonly inputs: number;
  readonly facts: number;
  /** Facts that were on the log before, word for word. */
  readonly repeats: number;
  /** Gaps in the numbers of a scope, and numbers that were given to two facts. */
  readonly disorder: string[];
  /** Alerts on the inputs, by key: what the sender calls them. */
  readonly seen: Map<string, string>;
  /** Decisions about each, and the incident of the last. */
  readonly decided: Map<string, { readonly times: number; readonly incident: string | null }>;
  readonly granted: Map<string, readonly Grant[]>;
  readonly finished: Map<string, { readonly outcome: string; readonly error: string; readonly at: number }>;
  readonly runs: Map<string, { readonly incident: string; end: string | null }>;
  /** Incidents by page. */
  readonly pages: Map<string, string>;
  /**
   * Notifications that must have arrived: their notifier took them, or gave them up while their page rang. What was asked for and has no end
   * yet is in flight (whether everything ended is asked before, watch.ts); what was given up once its page was over need not have left.
   */
  readonly notifications: Set<string>;
  readonly openIncidents: Set<string>;
  /** What has left, by the log, and the pages that it told. */
  readonly words: Words;
}

type Growing = { -readonly [Name in keyof Account]: Account[Name] };

export async function accountOf(options: KafkaOptions, partitions: number): Promise<Account> {
  const backbone = await openShared(options, partitions, 'account');
  const account: Growing = {
    inputs: 0,
    facts: 0,
    repeats: 0,
    disorder: [],
    seen: new Map(),
    decided: new Map(),
    granted: new Map(),
    finished: new Map(),
    runs: new Map(),
    pages: new Map(),
    notifications: new Set(),
    openIncidents: new Set(),
    words: followWords(),
  };
  try {
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const value of recordsOf(backbone.log, 'inputs', partition)) takeInput(account, value as Input);
      const order = orderOf(account, partition);
      for await (const value of recordsOf(backbone.log, 'facts', partition)) {
        const fact = value as Fact;
        account.facts += 1;
        if (order(fact)) takeFact(account, fact);
      }
    }
    return account;
  } finally {
    await backbone.close();
  }
}

async function* recordsOf(log: EventLog, topic: Topic, partition: number): AsyncGenerator<unknown> {
  const end = await log.end(topic, partition);
  for (let at = 0; at < end;) {
    const records = await log.read(topic, partition, at, recordsPerRead);
    const last = records.at(-1);
    if (last === undefined) throw new Error(`${topic} ${partition} ends at ${at}, not at ${end}`);
    for (const { value } of records) yield value;
    at = last.offset + 1;
  }
}

/** Whether a fact is new, as a reader sees it: one behind the newest of its scope, or a repeat word for word. */
function orderOf(account: Growing, partition: number): (fact: Fact) => boolean {
  const scopes = new Map<string, string[]>();
  return (fact) => {
    const told = scopes.get(fact.scope) ?? [];
    scopes.set(fact.scope, told);
    const digest = hash('sha1', JSON.stringify(fact), 'base64').slice(0, 12);
    const place = `partition ${partition}, scope ${fact.scope}, seq ${fact.seq} (${fact.type})`;
    if (fact.seq <= told.length) {
      account.repeats += 1;
      if (told[fact.seq - 1] !== digest) account.disorder.push(`${place}: another fact has this number`);
      return false;
    }
    if (fact.seq !== told.length + 1) account.disorder.push(`${place}: comes after ${told.length}`);
    while (told.length < fact.seq - 1) told.push('');
    told.push(digest);
    return true;
  };
}

function takeInput(account: Growing, input: Input): void {
  account.inputs += 1;
  if (input.type !== 'AlertSeen') return;
  const { delivery, index, event } = input;
  const uid = event.annotations['uid'] ?? '';
  const [own, place] = uid.split('/');
  // The endpoint, the sender's id, and a digest of the body.
  if (delivery.split(':')[1] !== own || index !== Number(place)) account.disorder.push(`alert ${uid} is ${index} of delivery ${delivery}`);
  account.seen.set(`${input.scope}|${delivery}|${index}`, uid);
}

function takeFact(account: Growing, fact: Fact): void {
  account.words.take(fact);
  switch (fact.type) {
    case 'AlertDecided': {
      const key = `${fact.scope}|${fact.delivery}|${fact.index}`;
      account.decided.set(key, { times: (account.decided.get(key)?.times ?? 0) + 1, incident: fact.incident });
      return;
    }
    case 'StepGranted': {
      const key = `${fact.run}/${fact.call}`;
      account.granted.set(key, [...(account.granted.get(key) ?? []), { worker: fact.worker, at: fact.at }]);
      return;
    }
    case 'StepFinished': {
      const error = fact.outcome.outcome === 'failed' ? fact.outcome.error : '';
      account.finished.set(`${fact.run}/${fact.call}`, { outcome: fact.outcome.outcome, error, at: fact.at });
      return;
    }
    case 'RunStarted':
      return void account.runs.set(fact.run, { incident: fact.incident, end: null });
    case 'RunFinished': {
      const run = account.runs.get(fact.run);
      if (run !== undefined) run.end = fact.end;
      return;
    }
    case 'PageOpened':
      return void account.pages.set(fact.page, fact.incident);
    case 'NotifyFinished': {
      const isRinging = account.words.pages.get(fact.page)?.states.at(-1)?.state === 'ringing';
      if (!fact.retry && (fact.outcome.outcome === 'accepted' || isRinging)) account.notifications.add(fact.notification);
      return;
    }
    case 'IncidentOpened':
    case 'IncidentReopened':
      return void account.openIncidents.add(fact.incident);
    case 'IncidentResolved':
      return void account.openIncidents.delete(fact.incident);
    default:
  }
}
