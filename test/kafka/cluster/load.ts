// A steady stream of alerts from senders that behave as real ones do: a delivery goes to one gateway, and with the same id and bytes
// to the next one when it is refused, breaks off or is not answered, until somebody takes it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../sim/random.ts';
import { post } from '../../support/post.ts';

const tickMs = 20;
const answerWithinMs = 6_000;
const retryAfterMs = 250;
/** Deliveries on their way at once; beyond, none is begun, as a sender's full queue would have it. */
const underWayMax = 3_000;

export interface LoadDeps {
  readonly random: Random;
  readonly perSecond: number;
  readonly token: string;
  /** Values of the label that makes the scope. */
  readonly teams: readonly string[];
  /** Addresses of the gateways that senders know of now. */
  readonly targets: () => readonly string[];
}

export interface Load {
  /** `delivery/index` of every alert that was answered 2xx, and whether somebody must be paged for it. */
  readonly accepted: ReadonlyMap<string, { readonly urgent: boolean }>;
  readonly figures: () => { readonly again: number; readonly refused: number; readonly unsent: number; readonly longestPauseMs: number };
  /** Says that the alert of this host has ended, when it is one that pages. */
  clear(host: string): void;
  /** Begins nothing new; resolves when everything under way was taken, or after the span. */
  stop(withinMs: number): Promise<void>;
}

interface Sent {
  readonly urgent: boolean;
  readonly body: object;
}

export function startLoad({ random, perSecond, token, teams, targets }: LoadDeps): Load {
  const accepted = new Map<string, { readonly urgent: boolean }>();
  const beganAt = performance.now();
  let begun = 0;
  let number = 0;
  let again = 0;
  let refused = 0;
  let unsent = 0;
  let takenAt = beganAt;
  let longestPauseMs = 0;
  let stopped = false;
  let giveUpAt = Number.POSITIVE_INFINITY;
  const underWay = new Set<Promise<void>>();
  /** What pages, by host: its labels and when it began. */
  const paging = new Map<string, { readonly labels: object; readonly startsAt: string }>();

  /** One alert in fifty wants a playbook, one in fifty a page; the others come and go on a thousand hosts. */
  function alertOf(id: string, team: string): Sent {
    const kind = random.chance(0.02) ? 'Fix' : random.chance(0.02) ? 'Page' : 'Noise';
    const urgent = kind !== 'Noise';
    const ended = !urgent && random.chance(0.3);
    const labels = {
      alertname: kind,
      team,
      instance: urgent ? `h${id.replace('/', '-')}` : `noise${random.int(1, 80)}-${team}`,
      severity: urgent ? 'critical' : 'info',
    };
    const startsAt = new Date(Date.now()).toISOString();
    if (kind === 'Page') paging.set(labels.instance, { labels, startsAt });
    const body = {
      labels,
      annotations: { uid: id },
      startsAt,
      ...(ended ? { endsAt: new Date(Date.now() - 1).toISOString() } : {}),
    };
    return { urgent, body };
  }

  function anything(delivery: string, size: number): readonly Sent[] {
    return Array.from({ length: size }, (_, index) => alertOf(`${delivery}/${index}`, random.pick(teams)));
  }

  async function deliver(size: number, make: (delivery: string, size: number) => readonly Sent[] = anything): Promise<void> {
    number += 1;
    const delivery = `d${number}`;
    const alerts = make(delivery, size);
    const body = JSON.stringify(alerts.map((alert) => alert.body));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'webhook-id': delivery };
    for (let at = random.int(0, 9); performance.now() < giveUpAt; at += 1) {
      const known = targets();
      const status = await post(`${known[at % known.length] ?? ''}/api/v2/alerts`, headers, body, answerWithinMs);
      if (status >= 200 && status < 300) {
        longestPauseMs = Math.max(longestPauseMs, performance.now() - takenAt);
        takenAt = performance.now();
        for (const [index, { urgent }] of alerts.entries()) accepted.set(`${delivery}/${index}`, { urgent });
        return;
      }
      if (status >= 400 && status < 500) break; // coming again would not help
      again += 1;
      await sleep(retryAfterMs);
    }
    refused += size;
  }

  function track(delivering: Promise<void>): void {
    const one = delivering.finally(() => underWay.delete(one));
    underWay.add(one);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await sleep(tickMs);
      for (let due = ((performance.now() - beganAt) / 1_000) * perSecond - begun; due >= 1;) {
        const size = Math.min(Math.floor(due), random.int(1, 3));
        due -= size;
        begun += size;
        if (underWay.size >= underWayMax) {
          unsent += size;
          continue;
        }
        track(deliver(size));
      }
    }
  }

  const running = run();
  return {
    accepted,
    figures: () => ({ again, refused, unsent, longestPauseMs: Math.round(longestPauseMs) }),
    clear(host) {
      const known = paging.get(host);
      if (known === undefined || stopped || !paging.delete(host)) return;
      const ended = (delivery: string): readonly Sent[] => [
        { urgent: false, body: { ...known, annotations: { uid: `${delivery}/0` }, endsAt: new Date().toISOString() } },
      ];
      track(deliver(1, ended));
    },
    async stop(withinMs) {
      stopped = true;
      giveUpAt = performance.now() + withinMs;
      await running;
      await Promise.all(underWay);
    },
  };
}
