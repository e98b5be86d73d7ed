// What the gateway tells about itself, for whoever scrapes /metrics.
//   M1  A label's values come from the configuration or from fixed words, never from an alert; beyond 200 values it is `other`.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Claim } from '../core/alert/event.ts';
import type { Decision } from '../core/decide/facts.ts';
import type { NotifyOutcome } from '../core/page/notification.ts';
import type { RunEnd } from '../core/run/facts.ts';
import type { Millis } from '../core/time.ts';
import type { RawPageAbout } from '../engine/failopen/failopen.ts';
import type { Topic } from '../ports/event-log.ts';
import type { SharedRole } from '../ports/shares.ts';

const labelValuesMax = 200;

/** What became of one delivery at the door. */
export type DeliveryOutcome = 'accepted' | 'refused' | 'busy' | 'unauthenticated' | 'invalid' | 'failed';
export type PageEvent = 'opened' | 'rang' | 'acked' | 'closed';

/** Everything that is counted; one method for each kind, so that names and labels stand in this file only. */
export interface Metrics {
  delivery(endpoint: string, outcome: DeliveryOutcome): void;
  /** From the first byte of the request to the answer after the durable write. */
  accepted(tookMs: Millis): void;
  alert(endpoint: string, claim: Claim): void;
  decision(decision: Decision): void;
  run(playbook: string, end: RunEnd): void;
  page(event: PageEvent): void;
  notification(notifier: string, outcome: NotifyOutcome['outcome']): void;
  request(method: string, route: string, status: number): void;
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

/** Read when a scrape comes. */
export interface Gauges {
  /** Inputs that are durable and not yet turned. */
  readonly lag: () => number;
  /** The same for each partition that is decided here. */
  readonly lags: () => ReadonlyMap<number, number>;
  /** Partitions acted for here. */
  readonly acting: () => readonly number[];
  /** Facts that each projector does not show yet. */
  readonly projectors?: () => ReadonlyMap<string, number>;
  /** Letters kept. */
  readonly deadLetters: () => Promise<number>;
  /** What waits for the shared log; nothing to show without one. */
  readonly spool?: () => { readonly records: number; readonly bytes: number; readonly oldestMs: Millis };
  /** Whether the shared log is away; without one it never is. */
  readonly away?: () => boolean;
}

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const deliveries = counter('quench_deliveries_total', 'Deliveries at the door, by what became of them.', ['endpoint', 'outcome']);
  const alerts = counter('quench_alerts_total', 'Alerts made durable.', ['endpoint', 'claim']);
  const decisions = counter('quench_decisions_total', 'Decisions about alerts.', ['decision']);
  const runs = counter('quench_runs_total', 'Finished runs of playbooks.', ['playbook', 'end']);
  const pages = counter('quench_pages_total', 'What happened to pages.', ['event']);
  const notifications = counter('quench_notifications_total', 'Attempts to reach people.', ['notifier', 'outcome']);
  const requests = counter('quench_http_requests_total', 'Answered API requests.', ['method', 'route', 'status']);
  const seconds = new Histogram({
    name: 'quench_accept_seconds',
    help: 'From the start of a delivery to its acceptance, durable write included.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const appends = new Histogram({
    name: 'quench_log_append_seconds',
    help: 'From handing a batch to the shared log to its durable answer.',
    labelNames: ['topic'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const appendFailures = counterFromZero('quench_log_append_failures_total', 'Batches that the shared log did not take.', {
    label: 'topic',
    values: ['inputs', 'facts'] satisfies Topic[],
  });
  const rebalances = counterFromZero('quench_rebalances_total', 'Times the partitions of a role were shared out anew.', {
    label: 'role',
    values: ['host', 'effects'] satisfies SharedRole[],
  });
  table('quench_partition_lag', 'Inputs that wait to be turned, for each partition decided here.', ['partition'], () =>
    [...gauges.lags()].map(([partition, lag]) => [{ partition }, lag]),
  );
  table('quench_partition_held', 'One for each partition that this process holds, by role.', ['role', 'partition'], () => [
    ...[...gauges.lags().keys()].map((partition): Row => [{ role: 'host', partition }, 1]),
    ...gauges.acting().map((partition): Row => [{ role: 'effects', partition }, 1]),
  ]);
  table('quench_projector_lag', 'Facts that a projector of this process does not show yet.', ['projector'], () =>
    [...(gauges.projectors?.() ?? [])].map(([projector, lag]) => [{ projector }, lag]),
  );
  gauge('quench_inputs_lag', 'Inputs that are durable and not yet turned.', gauges.lag);
  gauge('quench_dead_letters', 'Deliveries kept because they were not understood.', gauges.deadLetters);

  const drained = counter('quench_spool_drained_total', 'Batches sent on from the spool.', []);
  const rawPages = counterFromZero('quench_raw_pages_total', 'Pages about alerts that nobody decided in time.', {
    label: 'about',
    values: ['alert', 'many'] satisfies RawPageAbout[],
  });
  gauge('quench_log_away', 'One while the shared log is away, else zero.', () => (gauges.away?.() === true ? 1 : 0));
  const { spool } = gauges;
  if (spool !== undefined) {
    gauge('quench_spool_records', 'Batches that wait for the shared log.', () => spool().records);
    gauge('quench_spool_bytes', 'Their size as JSON text.', () => spool().bytes);
    gauge('quench_spool_oldest_seconds', 'Age of the oldest of them.', () => spool().oldestMs / 1_000);
  }

  function counter<Name extends string>(name: string, help: string, labelNames: readonly Name[]): Bounded {
    return bounded(new Counter({ name, help, labelNames: [...labelNames], registers }), labelNames);
  }
  /** Its values are there before the first event: what begins at 1 has not increased for whoever scrapes. */
  function counterFromZero(name: string, help: string, of: { readonly label: string; readonly values: readonly string[] }): Bounded {
    const made = new Counter({ name, help, labelNames: [of.label], registers });
    for (const value of of.values) made.inc({ [of.label]: value }, 0);
    return bounded(made, [of.label]);
  }
  function gauge(name: string, help: string, read: () => number | Promise<number>): void {
    const held = new Gauge({
      name,
      help,
      registers,
      async collect() {
        // A scrape must not fail because the store does: the last value stays.
        const value = await Promise.resolve()
          .then(read)
          .catch(() => null);
        if (value !== null) held.set(value);
      },
    });
  }

  /** A gauge whose label values come and go. */
  function table(name: string, help: string, labelNames: readonly string[], read: () => readonly Row[]): void {
    const held = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        held.reset();
        for (const [labels, value] of read()) held.set(labels, value);
      },
    });
  }

  return {
    delivery: (endpoint, outcome) => deliveries(endpoint, outcome),
    accepted: (tookMs) => seconds.observe(tookMs / 1_000),
    alert: (endpoint, claim) => alerts(endpoint, claim),
    decision: (decision) => decisions(decision),
    run: (playbook, end) => runs(playbook, end),
    page: (event) => pages(event),
    notification: (notifier, outcome) => notifications(notifier, outcome),
    request: (method, route, status) => requests(method, route, String(status)),
    appended(topic, tookMs, durable) {
      appends.observe({ topic }, tookMs / 1_000);
      if (!durable) appendFailures(topic);
    },
    rebalanced: (role) => rebalances(role),
    drained: () => drained(),
    rawPage: (about) => rawPages(about),
    scrape: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

type Row = readonly [{ readonly [label: string]: string | number }, number];
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
