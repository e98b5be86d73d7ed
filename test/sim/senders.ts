// Monitoring systems that send alerts: they fire, repeat, change their mind and clear; their deliveries come late, twice, out of order.
// A sender that hears nothing or "busy" sends again; one that heard "accepted" holds the gateway to it.
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import { minute, second, type Millis } from '../../src/core/time.ts';
import type { Intake } from '../../src/engine/intake/intake.ts';
import type { Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import type { SimClock } from './clock.ts';
import type { Plan } from './faults.ts';
import { drawSenders, plain, received, repeatAfter, worded, type Sender } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import { troubleNames } from './policy.ts';
import type { Random } from './random.ts';

/** Bodies are the events themselves, as JSON. */
export const simSource: Source = {
  name: 'sim',
  parse({ body, receivedAt }): Result<Parsed, ParseFailure> {
    if (!body.startsWith('[')) return fail({ reason: 'not_json', message: 'sim: expected a list of events' });
    const events = JSON.parse(body) as AlertEvent[];
    return ok({ events: events.map((event) => received(event, receivedAt)), warnings: [] });
  },
};

interface Trouble {
  readonly event: AlertEvent;
  readonly sender: Sender;
  firing: boolean;
  /** Of its episodes so far. */
  count: number;
  since: number;
  silent: boolean;
}

export interface Senders {
  start(): void;
  healthy(host: string): boolean;
  treat(host: string): void;
  /** From here on nothing new breaks; what burns keeps being repeated. */
  calm(): void;
  /** Half of what burns clears; of the rest nobody says a word any more. */
  hush(): void;
}

export interface SendersParts {
  readonly random: Random;
  /** For what only some kinds of senders do. */
  readonly others: Random;
  /** Many alerts at once, for certain. */
  readonly isStormy: boolean;
  /** Some troubles of one rule, each of its own host, come within less than a minute: their pages are told together. */
  readonly isTogether: boolean;
  readonly clock: SimClock;
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly intake: () => Intake | null;
}

const patienceMs: Millis = 10 * second;
const triesMax = 5;
const fellowsWithinMs: Millis = 45 * second;

export function createSenders({ random, others, isStormy, isTogether, clock, plan, ledger, intake }: SendersParts): Senders {
  const fellows = isTogether ? drawFellows(others) : [];
  const troubles = [...drawTroubles(random, others, isStormy), ...fellows];
  let marks = 0;
  let deliveries = 0;
  let quiet = false;
  const trueTime = (): number => someday + clock.steady();

  function start(): void {
    const burst = random.chance(0.2) || isStormy;
    const from = random.int(0, plan.chaosMs);
    const together = isTogether ? others.int(0, plan.chaosMs - fellowsWithinMs) : 0;
    for (const trouble of fellows) clock.after(together + others.int(0, fellowsWithinMs), () => fire(trouble));
    for (const trouble of troubles) {
      if (fellows.includes(trouble)) continue;
      const begins = burst ? from + random.int(0, 20 * second) : random.int(0, plan.chaosMs);
      clock.after(begins, () => fire(trouble));
    }
    if (random.chance(plan.badSenders)) clock.after(random.int(0, plan.chaosMs), () => send(plain, '', 'not a list'));
  }

  function fire(trouble: Trouble): void {
    if (trouble.firing || quiet) return;
    trouble.firing = true;
    trouble.count += 1;
    trouble.since = trueTime();
    tell([trouble]);
    repeat(trouble, trouble.since);
    if (random.chance(0.5)) clock.after(random.int(second, 6 * minute), () => clear(trouble));
  }

  function repeat(trouble: Trouble, since: number): void {
    clock.after(repeatAfter(trouble.sender, random), () => {
      if (!trouble.firing || trouble.silent || trouble.since !== since) return;
      tell([trouble, ...troubles.filter((other) => other !== trouble && other.firing && !other.silent).slice(0, random.int(0, 2))]);
      repeat(trouble, since);
    });
  }

  function clear(trouble: Trouble): void {
    if (!trouble.firing) return;
    trouble.firing = false;
    if (isDumb(trouble)) ledger.reach('left off in the middle of a lease');
    else tell([trouble]);
    if (trouble.sender.disorder > 0 && others.chance(0.4)) clock.after(others.int(second, 90 * second), () => fire(trouble));
    if (random.chance(0.3)) clock.after(random.int(second, 3 * minute), () => fire(trouble));
  }

  /** It went away with what it vouched for. */
  function isDumb({ sender }: Trouble): boolean {
    return sender.kind === 'leasing' && !quiet && others.chance(0.3);
  }

  function tell(about: readonly Trouble[]): void {
    for (const [sender, troublesOf] of Map.groupBy(about, (trouble) => trouble.sender)) tellAs(sender, troublesOf);
  }

  function tellAs(sender: Sender, about: readonly Trouble[]): void {
    const events = about.map(eventNow);
    const id = random.chance(0.6) ? `d${(deliveries += 1)}` : '';
    if (id !== '') for (const event of events) ledger.identified.add(event.annotations['mark'] ?? '');
    const body = JSON.stringify(events);
    const isLate = !quiet && (random.chance(plan.badSenders * 0.3) || others.chance(sender.disorder));
    if (isLate) {
      ledger.reach('delivery late or out of order');
      clock.after(random.int(second, 5 * minute), () => send(sender, id, body));
    } else send(sender, id, body);
    const isTwice = !quiet && (random.chance(plan.badSenders * 0.5) || others.chance(sender.disorder));
    if (isTwice) {
      ledger.reach(id === '' ? 'redelivery without id' : 'redelivery with id');
      clock.after(random.int(0, 90 * second), () => send(sender, id, body));
    }
    if (!quiet && others.chance(sender.disorder)) clock.after(others.int(minute, 6 * minute), () => send(sender, id, body));
  }

  function eventNow({ event, sender, firing, since, count }: Trouble): AlertEvent {
    const claim = firing ? (random.chance(0.04) ? 'acknowledged' : random.chance(0.04) ? 'noted' : 'firing') : 'cleared';
    const severity: Severity = random.chance(0.06) ? 'critical' : event.severity;
    const mark = `e${(marks += 1)}`;
    const muted = !quiet && random.chance(0.05) ? muteNow(random.pick(['downtime', null]), sender) : {};
    const soft = claim === 'firing' && random.chance(0.05) ? { soft: true } : {};
    const { fingerprint } = event;
    if (sender.kind !== 'plain') ledger.claims.set(mark, { sender, fingerprint, number: marks, claim, episode: count });
    const now: AlertEvent = {
      ...event,
      ...muted,
      ...soft,
      claim,
      severity,
      annotations: { mark },
      startedAt: since,
      observedAt: trueTime(),
    };
    return worded(sender, now, { number: count, since }, trueTime());
  }

  /** Two of three that it holds back are so until an instant by its clock, of which it says nothing more. */
  function muteNow(sourceMute: string | null, { aheadMs }: Sender): Pick<AlertEvent, 'sourceMute' | 'muteUntil'> {
    if (sourceMute === null || marks % 3 === 0) return { sourceMute };
    return { sourceMute, muteUntil: trueTime() + aheadMs + (1 + (marks % 8)) * minute };
  }

  /** One delivery and, when it was not accepted in time, the next try. */
  function send(sender: Sender, id: string, body: string, tried = 0): void {
    let over = false;
    const again = (): void => {
      if (over) return;
      over = true;
      if (tried < triesMax) clock.after(random.int(2, 20) * second, () => send(sender, id, body, tried + 1));
    };
    const door = intake();
    if (door === null) return again();
    clock.after(patienceMs, again);
    const delivery = { headers: {}, body, path: '', receivedAt: clock.now() };
    door.accept(sender.endpoint, delivery, id).then((acceptance) => {
      if (acceptance.status === 'busy') return again();
      over = true;
      if (acceptance.status === 'refused') ledger.letters.add(acceptance.letter);
      else for (const event of JSON.parse(body) as AlertEvent[]) ledger.accepted.add(event.annotations['mark'] ?? '');
      return;
    }, again);
  }

  return {
    start,
    healthy: (host) => !troubles.some((trouble) => trouble.firing && trouble.event.entity.host === host),
    treat(host) {
      for (const trouble of troubles) {
        if (!trouble.firing || trouble.event.entity.host !== host || !random.chance(0.6)) continue;
        clock.after(random.int(second, 40 * second), () => clear(trouble));
      }
    },
    calm() {
      quiet = true;
    },
    hush() {
      for (const trouble of troubles) {
        if (random.chance(0.5)) clear(trouble);
        else trouble.silent = true;
      }
    },
  };
}

function drawFellows(others: Random): readonly Trouble[] {
  return Array.from({ length: others.int(4, 7) }, (_, number) => {
    const host = `f${number + 1}`;
    const labels = { alertname: 'Plain', instance: host, team: 'a' };
    const event = eventOf({ source: 'north', name: 'Plain', severity: 'error', entity: { host, service: host }, labels });
    return { event, sender: plain, firing: false, count: 0, since: 0, silent: false };
  });
}

function drawTroubles(random: Random, others: Random, isMany: boolean): Trouble[] {
  const senders = drawSenders(others);
  const count = random.chance(0.15) || isMany ? random.int(9, 14) : random.int(2, 7);
  const troubles = new Map<string, Trouble>();
  for (let number = 0; number < count; number += 1) {
    const name = random.pick(troubleNames);
    const host = `h${random.int(1, 4)}`;
    const team = random.pick(['a', 'b']);
    const severity: Severity = name === 'Minor' ? 'info' : random.pick(['warning', 'error', 'critical']);
    const event = eventOf({
      source: random.pick(['north', 'south']),
      name,
      severity,
      entity: { host, ...(random.chance(0.2) ? { service: team } : {}) },
      labels: { alertname: name, instance: host, team },
    });
    const sender = senders.length > 0 && others.chance(0.8) ? others.pick(senders) : plain;
    troubles.set(event.fingerprint, { event, sender, firing: false, count: 0, since: 0, silent: false });
  }
  return [...troubles.values()];
}
