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
import type { Ledger } from './ledger.ts';
import { troubleNames } from './policy.ts';
import type { Random } from './random.ts';

export const endpointName = 'sim';

/** Bodies are the events themselves, as JSON. */
export const simSource: Source = {
  name: 'sim',
  parse({ body }): Result<Parsed, ParseFailure> {
    if (!body.startsWith('[')) return fail({ reason: 'not_json', message: 'sim: expected a list of events' });
    return ok({ events: JSON.parse(body) as AlertEvent[], warnings: [] });
  },
};

interface Trouble {
  readonly event: AlertEvent;
  firing: boolean;
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
  readonly clock: SimClock;
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly intake: () => Intake | null;
}

const patienceMs: Millis = 10 * second;
const triesMax = 5;

export function createSenders({ random, clock, plan, ledger, intake }: SendersParts): Senders {
  const troubles = drawTroubles(random);
  let marks = 0;
  let deliveries = 0;
  let quiet = false;
  const trueTime = (): number => someday + clock.steady();

  function start(): void {
    const burst = random.chance(0.2);
    const from = random.int(0, plan.chaosMs);
    for (const trouble of troubles) {
      const begins = burst ? from + random.int(0, 20 * second) : random.int(0, plan.chaosMs);
      clock.after(begins, () => fire(trouble));
    }
    if (random.chance(plan.badSenders)) clock.after(random.int(0, plan.chaosMs), () => send('', 'not a list'));
  }

  function fire(trouble: Trouble): void {
    if (trouble.firing || quiet) return;
    trouble.firing = true;
    trouble.since = trueTime();
    tell([trouble]);
    repeat(trouble, trouble.since);
    if (random.chance(0.5)) clock.after(random.int(second, 6 * minute), () => clear(trouble));
  }

  function repeat(trouble: Trouble, since: number): void {
    clock.after(random.int(3 * minute, 6 * minute), () => {
      if (!trouble.firing || trouble.silent || trouble.since !== since) return;
      tell([trouble, ...troubles.filter((other) => other !== trouble && other.firing && !other.silent).slice(0, random.int(0, 2))]);
      repeat(trouble, since);
    });
  }

  function clear(trouble: Trouble): void {
    if (!trouble.firing) return;
    trouble.firing = false;
    tell([trouble]);
    if (random.chance(0.3)) clock.after(random.int(second, 3 * minute), () => fire(trouble));
  }

  function tell(about: readonly Trouble[]): void {
    const events = about.map(eventNow);
    const id = random.chance(0.6) ? `d${(deliveries += 1)}` : '';
    if (id !== '') for (const event of events) ledger.identified.add(event.annotations['mark'] ?? '');
    const body = JSON.stringify(events);
    if (!quiet && random.chance(plan.badSenders * 0.3)) {
      ledger.reach('delivery late or out of order');
      clock.after(random.int(second, 5 * minute), () => send(id, body));
    } else send(id, body);
    if (!quiet && random.chance(plan.badSenders * 0.5)) {
      ledger.reach(id === '' ? 'redelivery without id' : 'redelivery with id');
      clock.after(random.int(0, 90 * second), () => send(id, body));
    }
  }

  function eventNow({ event, firing, since }: Trouble): AlertEvent {
    const claim = firing ? (random.chance(0.04) ? 'acknowledged' : random.chance(0.04) ? 'noted' : 'firing') : 'cleared';
    const severity: Severity = random.chance(0.06) ? 'critical' : event.severity;
    const mark = `e${(marks += 1)}`;
    const muted = !quiet && random.chance(0.05) ? { sourceMute: random.pick(['downtime', null]) } : {};
    const soft = claim === 'firing' && random.chance(0.05) ? { soft: true } : {};
    return { ...event, ...muted, ...soft, claim, severity, annotations: { mark }, startedAt: since, observedAt: trueTime() };
  }

  /** One delivery and, when it was not accepted in time, the next try. */
  function send(id: string, body: string, tried = 0): void {
    let over = false;
    const again = (): void => {
      if (over) return;
      over = true;
      if (tried < triesMax) clock.after(random.int(2, 20) * second, () => send(id, body, tried + 1));
    };
    const door = intake();
    if (door === null) return again();
    clock.after(patienceMs, again);
    const delivery = { headers: {}, body, path: '', receivedAt: clock.now() };
    door.accept(endpointName, delivery, id).then((acceptance) => {
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

function drawTroubles(random: Random): Trouble[] {
  const count = random.chance(0.15) ? random.int(9, 14) : random.int(2, 7);
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
    troubles.set(event.fingerprint, { event, firing: false, since: 0, silent: false });
  }
  return [...troubles.values()];
}
