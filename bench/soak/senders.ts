// Four kinds of senders as they are: Zabbix, Nagios, New Relic and a Prometheus Alertmanager, each in the form of its own notifications.
// An episode begins, is told again, gets worse, is acknowledged at its source, ends; some of it twice, late or in the wrong order.
//   S1  A delivery is sent until it was answered 2xx, under one id: what was accepted is the sender's knowledge, and the measure.
//   S2  Once nothing more comes, every episode has ended, and its source has said so.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../test/sim/random.ts';
import { post } from '../../test/support/post.ts';

export const senderNames = ['zabbix', 'nagios', 'newrelic', 'prometheus'] as const;
type SenderName = (typeof senderNames)[number];
/** What a sender says of an episode. */
type Word = 'problem' | 'worse' | 'ack' | 'unack' | 'end';

/** One occurrence of an alert as its sender knows it; times are of answers that were 2xx. */
export interface Episode {
  readonly number: number;
  readonly sender: SenderName;
  readonly host: string;
  readonly rule: string;
  readonly beganAt: number;
  /** It pages somebody, from the beginning or since it got worse. */
  urgentAt: number | null;
  ackedAt: number | null;
  /** When its end was sent for the first time; the gateway may know from then on. */
  endSentAt: number | null;
  endedAt: number | null;
  /** Ids of deliveries that were accepted. */
  readonly accepted: string[];
}

export interface Senders {
  readonly episodes: readonly Episode[];
  readonly figures: () => { readonly accepted: number; readonly again: number; readonly refused: readonly string[] };
  /** So many new episodes at once, as when a rack goes down. */
  burst(count: number): void;
  /** No new episode begins, and those that are under way end within a minute; resolves when all ends were accepted. */
  stop(): Promise<void>;
}

const answerWithinMs = 10_000;
const againAfterMs = 500;
const sharedHosts = 12;
/** Once no more begin, those under way have so long. */
const lastWordsMs = 60_000;

export function startSenders(parts: {
  readonly random: Random;
  /** New episodes a second. */
  readonly rate: number;
  readonly url: string;
  readonly token: string;
}): Senders {
  const { random, rate, url, token } = parts;
  const episodes: Episode[] = [];
  const refused: string[] = [];
  let accepted = 0;
  let again = 0;
  let deliveries = 0;
  let allEndBy: number | null = null;
  const living = new Set<Promise<void>>();

  /** S1 */
  async function deliver(episode: Episode, word: Word, severe: boolean): Promise<number> {
    deliveries += 1;
    const id = `soak-${deliveries}`;
    const body = JSON.stringify(bodies[episode.sender](episode, word, severe));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'webhook-id': id };
    for (;;) {
      const status = await post(`${url}/webhooks/${episode.sender}`, headers, body, answerWithinMs);
      if (status >= 200 && status < 300) break;
      if (status >= 400 && status < 500 && status !== 429) {
        refused.push(`${status} for ${word} of ${episode.sender} episode ${episode.number}`);
        return Date.now();
      }
      again += 1;
      await sleep(againAfterMs);
    }
    accepted += 1;
    episode.accepted.push(id);
    return Date.now();
  }

  async function live(episode: Episode, shape: Shape): Promise<void> {
    const { severe, spanMs, worsens, acks, unacks, twice, endFirst, lateProblem } = shape;
    if (endFirst) {
      // The end overtakes the beginning: a sender's queue works so after an outage.
      await end(episode, severe);
      await deliver(episode, 'problem', severe);
      return;
    }
    const at = await deliver(episode, 'problem', severe);
    if (severe) episode.urgentAt = at;
    if (twice) await deliver(episode, 'problem', severe);
    let isSevere = severe;
    const plannedEnd = Date.now() + spanMs;
    const until = (): number => Math.min(plannedEnd, allEndBy ?? plannedEnd);
    while (Date.now() < until()) {
      await rest(Math.min(until() - Date.now(), random.int(4_000, 25_000)));
      if (Date.now() >= until()) break;
      if (worsens && !isSevere) {
        isSevere = true;
        episode.urgentAt = await deliver(episode, 'worse', true);
        episode.ackedAt = null; // who took the lesser thing does not know of this
      } else if (acks && episode.ackedAt === null) {
        episode.ackedAt = await deliver(episode, 'ack', isSevere);
        if (unacks) {
          await rest(random.int(2_000, 10_000));
          const givenBack = await deliver(episode, 'unack', isSevere);
          episode.ackedAt = null;
          if (episode.urgentAt !== null) episode.urgentAt = givenBack;
          break;
        }
      } else if (episode.ackedAt === null) await deliver(episode, 'problem', isSevere); // senders are silent about what somebody has
    }
    while (Date.now() < until()) await rest(Math.min(2_000, until() - Date.now()));
    await end(episode, isSevere);
    if (twice) await deliver(episode, 'end', isSevere);
    if (lateProblem) {
      await rest(random.int(500, 5_000));
      await deliver(episode, 'problem', isSevere);
    }
  }

  async function end(episode: Episode, severe: boolean): Promise<void> {
    episode.endSentAt = Date.now();
    episode.endedAt = await deliver(episode, 'end', severe);
  }

  const rest = (ms: number): Promise<void> => sleep(Math.max(0, ms));

  function begin(sender: SenderName, host: string, shape: Shape): void {
    const number = episodes.length + 1;
    const rule = `Rule${random.int(1, 40)}of${sender}`;
    const times = { urgentAt: null, ackedAt: null, endSentAt: null, endedAt: null };
    const episode: Episode = { number, sender, host, rule, beganAt: Date.now(), accepted: [], ...times };
    episodes.push(episode);
    const life = live(episode, shape).finally(() => living.delete(life));
    living.add(life);
  }

  function beginAny(): void {
    const sender = random.pick(senderNames);
    const host = random.chance(0.3) ? `shared-${random.int(1, sharedHosts)}` : `h${episodes.length + 1}`;
    const lasting = random.chance(0.3)
      ? random.int(1_000, 20_000)
      : random.chance(0.6)
        ? random.int(20_000, 120_000)
        : random.int(120_000, 360_000);
    const canAck = sender !== 'prometheus';
    const acks = canAck && random.chance(0.2);
    begin(sender, host, {
      severe: random.chance(0.5),
      spanMs: lasting,
      worsens: sender !== 'prometheus' && random.chance(0.3), // there the severity is part of what an alert is
      acks,
      unacks: acks && sender === 'zabbix' && random.chance(0.5),
      twice: random.chance(0.15),
      endFirst: random.chance(0.04),
      lateProblem: random.chance(0.1),
    });
  }

  async function run(): Promise<void> {
    while (allEndBy === null) {
      await rest((1_000 / rate) * (0.5 + random.next()));
      if (allEndBy === null) beginAny();
    }
  }

  const running = run();
  return {
    episodes,
    figures: () => ({ accepted, again, refused }),
    burst(count) {
      const plain = { worsens: false, acks: false, unacks: false, twice: false, endFirst: false, lateProblem: false };
      for (let each = 0; each < count; each += 1)
        begin('zabbix', `rack-${episodes.length + 1}`, { severe: true, spanMs: random.int(60_000, 120_000), ...plain });
    },
    async stop() {
      allEndBy = Date.now() + lastWordsMs;
      await running;
      await Promise.all(living); // S2
    },
  };
}

interface Shape {
  readonly severe: boolean;
  readonly spanMs: number;
  readonly worsens: boolean;
  readonly acks: boolean;
  readonly unacks: boolean;
  readonly twice: boolean;
  readonly endFirst: boolean;
  readonly lateProblem: boolean;
}

const seconds = (at: number): string => String(Math.floor(at / 1_000));

/** The form of each sender's notification; what is unexpanded stands there as the sender leaves it. */
const bodies: { readonly [Name in SenderName]: (episode: Episode, word: Word, severe: boolean) => object } = {
  zabbix: ({ number, host, rule, beganAt }, word, severe) => ({
    event_id: String(10_000 + number),
    event_name: `${rule} on ${host}`,
    event_nseverity: severe ? '5' : '2',
    event_severity: severe ? 'Disaster' : 'Warning',
    event_source: '0',
    event_value: word === 'end' ? '0' : '1',
    event_update_status: word === 'problem' || word === 'end' ? '0' : '1',
    event_recovery_id: word === 'end' ? String(1_000_000 + number) : '{EVENT.RECOVERY.ID}',
    event_timestamp: seconds(beganAt),
    ...(word === 'end' ? { event_recovery_timestamp: seconds(Date.now()) } : {}),
    ...(word === 'worse' || word === 'ack' || word === 'unack' ? { event_update_timestamp: seconds(Date.now()) } : {}),
    event_update_action:
      { ack: 'acknowledged', unack: 'unacknowledged', worse: 'changed severity from Warning to Disaster', problem: '', end: '' }[word] ||
      '{EVENT.UPDATE.ACTION}',
    event_update_message: '{EVENT.UPDATE.MESSAGE}',
    event_update_user: 'Ann Other (ann)',
    trigger_id: String(20_000 + number),
    trigger_name_orig: `${rule} on {HOST.NAME}`,
    host_host: host,
    host_name: host,
    zabbix_url: 'https://zabbix.example.net/',
    event_opdata: 'Current utilization: 97.1 %',
    event_tags_json: '[{"tag":"scope","value":"performance"}]',
  }),
  nagios: ({ number, host, rule, beganAt }, word, severe) => ({
    instance: 'mon-1',
    type: word === 'end' ? 'RECOVERY' : word === 'ack' ? 'ACKNOWLEDGEMENT' : 'PROBLEM',
    host,
    service: `${rule} ${number}`,
    state: word === 'end' ? 'OK' : severe ? 'CRITICAL' : 'WARNING',
    state_type: 'HARD',
    attempt: word === 'end' ? '1' : '3',
    max_attempts: '3',
    problem_id: word === 'end' ? '0' : String(number),
    last_problem_id: word === 'end' ? String(number) : '0',
    process_start: '1795224000',
    downtime_depth: '0',
    last_check: seconds(Date.now()),
    last_state_change: seconds(word === 'end' ? Date.now() : beganAt),
    output: `${rule}: measured`,
    sent_at: seconds(Date.now()),
    ...(word === 'ack' ? { ack_author: 'ann', ack_comment: 'I am on it' } : {}),
  }),
  newrelic: ({ number, host, rule, beganAt }, word, severe) => ({
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    issueUrl: `https://one.newrelic.com/issue/${number}`,
    title: `${rule} on '${host}'`,
    priority: severe ? 'CRITICAL' : 'HIGH',
    impactedEntities: [host],
    totalIncidents: 1,
    state: word === 'end' ? 'CLOSED' : 'ACTIVATED',
    trigger: word === 'ack' ? 'USER_ACTION' : 'STATE_CHANGE',
    ...(word === 'ack' ? { isAcknowledged: true } : {}),
    isCorrelated: false,
    createdAt: beganAt,
    updatedAt: Date.now(),
    sources: ['newrelic'],
    alertPolicyNames: ['Shop'],
    alertConditionNames: [rule],
    workflowName: 'to quench',
  }),
  prometheus: ({ number, host, rule, beganAt }, word, severe) => ({
    receiver: 'quench',
    status: word === 'end' ? 'resolved' : 'firing',
    alerts: [
      {
        status: word === 'end' ? 'resolved' : 'firing',
        labels: { alertname: rule, instance: `${host}:9100`, number: String(number), severity: severe ? 'critical' : 'warning' },
        annotations: { summary: `${rule} on ${host}` },
        startsAt: new Date(beganAt).toISOString(),
        endsAt: word === 'end' ? new Date().toISOString() : '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.example.net:9090/graph',
      },
    ],
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://am-1.example.net:9093',
    version: '4',
    groupKey: `{}:{alertname="${rule}"}`,
    truncatedAlerts: 0,
  }),
};
