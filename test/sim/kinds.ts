// Kinds of senders beside the plain one: what they say of an episode, when they say it again, and how wrong their clocks are.
// Each is what an adapter makes of its vendor: one numbers problems and dates each word once; one checks again and again, and may end a problem
// without its number; one vouches for what it says until an instant, and tells it again before.
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { minute, second, type Instant, type Millis } from '../../src/core/time.ts';
import type { Random } from './random.ts';

export const senderKinds = ['numbered', 'checking', 'leasing'] as const;
export type SenderKind = (typeof senderKinds)[number];

/** One sender with an endpoint of its own. */
export interface Sender {
  readonly kind: SenderKind | 'plain';
  readonly endpoint: string;
  /** How far its clock is ahead. */
  readonly aheadMs: Millis;
  /** Of a delivery to be late, and of one to come again. */
  readonly disorder: number;
  /** For how long it vouches for what it tells. */
  readonly leaseMs: Millis;
  /** A recovery names its problem, and problems are numbered in their order. */
  readonly names: boolean;
}

export const plain: Sender = { kind: 'plain', endpoint: 'sim', aheadMs: 0, disorder: 0, leaseMs: 0, names: false };
export const endpointNames: readonly string[] = [plain.endpoint, ...senderKinds];

/** What a claim really says, by true time. */
export interface Told {
  readonly sender: Sender;
  readonly fingerprint: string;
  /** Later words have higher numbers. */
  readonly number: number;
  readonly claim: AlertEvent['claim'];
  /** Number of the episode among those of its alert. */
  readonly episode: number;
}

/** The senders of a world beside the plain one; most have a clock that is right. */
export function drawSenders(random: Random): readonly Sender[] {
  if (random.chance(0.45)) return [];
  return [...new Set([random.pick(senderKinds), random.pick(senderKinds)])].map((kind) => {
    const leaseMs = random.int(5, 9) * minute;
    const isWrong = random.chance(0.45);
    // A lease that is over when it is told says that the alert is, whatever its sender meant.
    const behindMax = kind === 'leasing' ? Math.floor(leaseMs / minute / 2) : 25;
    const minutes = random.chance(0.5) ? random.int(2, 25) : -random.int(2, behindMax);
    const disorder = random.chance(0.6) ? 0.1 + random.next() * 0.4 : 0;
    return { kind, endpoint: kind, aheadMs: isWrong ? minutes * minute : 0, disorder, leaseMs, names: random.chance(0.6) };
  });
}

/** An episode of an alert, by true time. */
export interface Episode {
  readonly number: number;
  readonly since: Instant;
}

/** The event as this sender words it at a moment, by its clock. */
export function worded({ kind, aheadMs, leaseMs, names }: Sender, event: AlertEvent, { number, since }: Episode, now: Instant): AlertEvent {
  const [began, at] = [since + aheadMs, now + aheadMs];
  const isOver = event.claim === 'cleared';
  const isFiring = event.claim === 'firing';
  switch (kind) {
    case 'plain':
      return event;
    case 'numbered': {
      const said = isFiring ? began : at;
      return { ...event, episode: String(number), episodeOrder: String(number), startedAt: began, observedAt: said, sentAt: said };
    }
    case 'checking': {
      const order = names ? { episodeOrder: `${number}@1` } : {};
      const episode = isOver && !names ? '' : `${number}@1`;
      return { ...event, episode, ...order, startedAt: isOver ? at : began, observedAt: at, sentAt: at };
    }
    case 'leasing': {
      const until = isOver ? at : at + leaseMs;
      return { ...event, episode: new Date(began).toISOString(), startedAt: began, ...(isFiring || isOver ? { until } : {}) };
    }
  }
}

/** What an endpoint makes of a claim that it receives: a lease that is over ends the alert; only a time ahead of ours is worth measuring. */
export function received({ until, ...event }: AlertEvent, receivedAt: Instant): AlertEvent {
  if (until === undefined) return event;
  const isOver = until <= receivedAt;
  const said = isOver ? until : event.startedAt;
  return {
    ...event,
    claim: isOver ? 'cleared' : event.claim,
    observedAt: isOver ? Math.max(until, event.startedAt) : receivedAt,
    ...(said > receivedAt ? { sentAt: said } : {}),
    ...(isOver ? {} : { until }),
  };
}

/** After how long it tells again what lasts. */
export function repeatAfter({ kind, leaseMs }: Sender, random: Random): Millis {
  if (kind !== 'leasing') return random.int(3 * minute, 6 * minute);
  return random.int(Math.floor(leaseMs / 4), Math.floor(leaseMs / 3)) + random.int(0, 5 * second);
}
