// What the gateway tells about itself, for whoever scrapes /metrics.
//   M1  A label's values come from the configuration or from fixed words, never from an alert; beyond 200 values it is `other`.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Claim } from '../core/alert/event.ts';
import type { Decision } from '../core/decide/facts.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { RunEnd } from '../core/run/facts.ts';
import type { Millis } from '../core/time.ts';
import { rawPageAbouts, type RawPageAbout } from '../engine/failopen/overdue.ts';
import type { AskOutcome } from '../engine/reconcile/reconciler.ts';
import { topics, type Topic } from '../ports/event-log.ts';
import { sharedRoles, type SharedRole } from '../ports/shares.ts';
import type { PageEvent } from '../readmodel/counts.ts';
import { expositionOf } from './exposition.ts';
import { addGauges, type Gauges } from './gauges.ts';

const labelValuesMax = 200;

/** What became of one delivery at the door. */
export type DeliveryOutcome = 'accepted' | 'refused' | 'busy' | 'unauthenticated' | 'invalid' | 'too_large' | 'failed';

/** Where credentials are asked for. */
export const loginDoors = ['webhooks', 'api', 'links'] as const;
export type LoginDoor = (typeof loginDoors)[number];

/** Everything that is counted; one method for each kind, so that names and labels stand in this file only. */
export interface Metrics {
  delivery(endpoint: string, outcome: DeliveryOutcome): void;
  /** From the first byte of the request to the answer after the durable write. */
  accepted(tookMs: Millis): void;
  /** Things in an accepted delivery that were left out or not understood. */
  doubtful(endpoint: string, warnings: number): void;
  alert(endpoint: string, claim: Claim): void;
  decision(decision: Decision): void;
  /** How far a sender's clock is from ours, as far as that is taken out. */
  skew(endpoint: string, skewMs: Millis): void;
  run(playbook: string, end: RunEnd): void;
  page(event: PageEvent): void;
  notification(notifier: string, outcome: NotifyOutcome['outcome'] | 'dropped'): void;
  request(method: string, route: string, status: number): void;
  /** Wrong or missing credentials. */
  failedLogin(door: LoginDoor): void;
  /** A source was asked what is open there. */
  asked(endpoint: string, outcome: AskOutcome): void;
  /** An answer of a source told what its webhook had not. */
  reconciled(endpoint: string, claim: 'firing' | 'cleared'): void;
  /** One append to a shared log. */
  appended(topic: Topic, tookMs: Millis, durable: boolean): void;
  /** Partitions of a role were shared out anew. */
  rebalanced(role: SharedRole): void;
  /** One spooled batch was sent on. */
  drained(): void;
  /** One page about alerts that nobody decided: about one alert, or summing up many. */
  rawPage(about: RawPageAbout): void;
  /** The exposition text and its media type. */
  scrape(): Promise<{ readonly type: string; readonly text: string }>;
}

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addGauges(registry, gauges);
  const counted = countersIn(registry);
  const { seconds, appends } = histogramsIn(registry);
  return {
    delivery: (endpoint, outcome) => counted.deliveries(endpoint, outcome),
    accepted: (tookMs) => seconds.observe(tookMs / 1_000),
    doubtful(endpoint, warnings) {
      for (let told = 0; told < Math.min(warnings, 100); told += 1) counted.doubts(endpoint);
    },
    alert: (endpoint, claim) => counted.alerts(endpoint, claim),
    decision: (decision) => counted.decisions(decision),
    skew: skewGauge(registry),
    run: (playbook, end) => counted.runs(playbook, end),
    page: (event) => counted.pages(event),
    notification: (notifier, outcome) => counted.notifications(notifier, outcome),
    request: (method, route, status) => counted.requests(method, route, String(status)),
    failedLogin: (door) => counted.failedLogins(door),
    asked: (endpoint, outcome) => counted.askings(endpoint, outcome),
    reconciled: (endpoint, claim) => counted.reconciled(endpoint, claim),
    appended(topic, tookMs, durable) {
      appends.observe({ topic }, tookMs / 1_000);
      if (!durable) counted.appendFailures(topic);
    },
    rebalanced: (role) => counted.rebalances(role),
    drained: () => counted.drained(),
    rawPage: (about) => counted.rawPages(about),
    scrape: async () => ({ type: registry.contentType, text: await expositionOf(registry) }),
  };
}

// ---------------------------------------------------------------- what is counted

function countersIn(registry: Registry) {
  const registers = [registry];
  function counter<Name extends string>(name: string, help: string, labelNames: readonly Name[]): Bounded {
    return bounded(new Counter({ name, help, labelNames: [...labelNames], registers }), labelNames);
  }
  /** Its values are there before the first event: what begins at 1 has not increased for whoever scrapes. */
  function counterFromZero(name: string, help: string, of: { readonly label: string; readonly values: readonly string[] }): Bounded {
    const made = new Counter({ name, help, labelNames: [of.label], registers });
    for (const value of of.values) made.inc({ [of.label]: value }, 0);
    return bounded(made, [of.label]);
  }
  return {
    deliveries: counter('quench_deliveries_total', 'Deliveries at the door, by what became of them.', ['endpoint', 'outcome']),
    doubts: counter('quench_delivery_warnings_total', 'What was left out of accepted deliveries or not understood.', ['endpoint']),
    alerts: counter('quench_alerts_total', 'Alerts made durable.', ['endpoint', 'claim']),
    decisions: counter('quench_decisions_total', 'Decisions about alerts.', ['decision']),
    runs: counter('quench_runs_total', 'Finished runs of playbooks.', ['playbook', 'end']),
    pages: counter('quench_pages_total', 'What happened to pages.', ['event']),
    notifications: counter('quench_notifications_total', 'Attempts to reach people.', ['notifier', 'outcome']),
    requests: counter('quench_http_requests_total', 'Answered API requests.', ['method', 'route', 'status']),
    failedLogins: counterFromZero('quench_failed_logins_total', 'Requests with wrong or missing credentials.', {
      label: 'door',
      values: loginDoors,
    }),
    askings: counter('quench_reconcile_askings_total', 'Times a source was asked what is open there, by what came of it.', [
      'endpoint',
      'outcome',
    ]),
    reconciled: counter('quench_reconciled_alerts_total', 'Alerts that an answer of a source began or ended.', ['endpoint', 'claim']),
    appendFailures: counterFromZero('quench_log_append_failures_total', 'Batches that the shared log did not take.', {
      label: 'topic',
      values: topics,
    }),
    rebalances: counterFromZero('quench_rebalances_total', 'Times the partitions of a role were shared out anew.', {
      label: 'role',
      values: sharedRoles,
    }),
    drained: counter('quench_spool_drained_total', 'Batches sent on from the spool.', []),
    rawPages: counterFromZero('quench_raw_pages_total', 'Pages about alerts that nobody decided in time.', {
      label: 'about',
      values: rawPageAbouts,
    }),
  };
}

function histogramsIn(registry: Registry): { readonly seconds: Histogram; readonly appends: Histogram<'topic'> } {
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  const registers = [registry];
  return {
    seconds: new Histogram({
      name: 'quench_accept_seconds',
      help: 'From the start of a delivery to its acceptance, durable write included.',
      buckets,
      registers,
    }),
    appends: new Histogram({
      name: 'quench_log_append_seconds',
      help: 'From handing a batch to the shared log to its durable answer.',
      labelNames: ['topic'],
      buckets,
      registers,
    }),
  };
}

const endpointsMax = 200;
function skewGauge(registry: Registry): Metrics['skew'] {
  const help = 'How far the clock of the sender behind an endpoint is behind ours (ahead: negative), as measured and taken out.';
  const made = new Gauge({ name: 'quench_sender_skew_seconds', help, labelNames: ['endpoint'], registers: [registry] });
  const seen = new Set<string>();
  return (endpoint, skewMs) => {
    if (seen.size < endpointsMax) seen.add(endpoint);
    if (seen.has(endpoint)) made.set({ endpoint }, skewMs / 1_000);
  };
}

type Bounded = (...values: readonly string[]) => void;

/** M1: adds one; a value that would be the 201st of its label counts as `other`. */
function bounded(counter: Counter, names: readonly string[]): Bounded {
  const seen = names.map(() => new Set<string>());
  return (...values) => {
    const labels: Record<string, string> = {};
    for (const [place, name] of names.entries()) {
      const value = values[place] ?? '';
      const known = seen[place];
      if (known !== undefined && known.size < labelValuesMax) known.add(value);
      labels[name] = known?.has(value) === true ? value : 'other';
    }
    counter.inc(labels);
  };
}
