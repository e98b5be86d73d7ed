// What the gateway tells about itself, for whoever scrapes /metrics.
//   M1  A label's values come from the configuration or from fixed words, never from an alert; beyond 200 values it is `other`.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Claim } from '../core/alert.ts';
import type { NotifyOutcome } from '../core/ports.ts';
import type { Decision, RunEnd } from '../core/records.ts';
import type { Millis } from '../core/time.ts';

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
  /** The exposition text and its media type. */
  scrape(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Read when a scrape comes. */
export interface Gauges {
  /** Inputs that are durable and not yet turned. */
  readonly lag: () => number;
  /** Letters kept. */
  readonly deadLetters: () => Promise<number>;
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
  gauge('quench_inputs_lag', 'Inputs that are durable and not yet turned.', gauges.lag);
  gauge('quench_dead_letters', 'Deliveries kept because they were not understood.', gauges.deadLetters);

  function counter<Name extends string>(name: string, help: string, labelNames: readonly Name[]): Bounded {
    return bounded(new Counter({ name, help, labelNames: [...labelNames], registers }), labelNames);
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

  return {
    delivery: (endpoint, outcome) => deliveries(endpoint, outcome),
    accepted: (tookMs) => seconds.observe(tookMs / 1_000),
    alert: (endpoint, claim) => alerts(endpoint, claim),
    decision: (decision) => decisions(decision),
    run: (playbook, end) => runs(playbook, end),
    page: (event) => pages(event),
    notification: (notifier, outcome) => notifications(notifier, outcome),
    request: (method, route, status) => requests(method, route, String(status)),
    scrape: async () => ({ type: registry.contentType, text: await registry.metrics() }),
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
