// Figures that are read when a scrape of /metrics comes: how much waits, is kept, is in trouble. What is counted as it happens is metrics.ts.
import { Gauge, type Registry } from 'prom-client';
import type { Millis } from '../core/time.ts';

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
  /** Pages decided here that ring and could be told to nobody on their ladder. */
  readonly unreached?: () => number;
  /** Letters kept. */
  readonly deadLetters: () => Promise<number>;
  /** Of a gateway that runs although its configuration does not load whole; not given: none. */
  readonly configProblems?: () => number;
  /** By how much the wall clock differs from the time that the gateway goes by. */
  readonly drift?: () => Millis;
  /** What waits for the shared log; nothing to show without one. */
  readonly spool?: () => { readonly records: number; readonly bytes: number; readonly oldestMs: Millis };
  /** What the store's files take, and may take; not given where there are none. */
  readonly storeBytes?: { readonly taken: () => number; readonly max: number };
  /** Freezes that hold, as the partitions know them that are decided here. */
  readonly frozen?: () => number;
  /** Whether the shared log is away; without one it never is. */
  readonly away?: () => boolean;
  /** Whether the files that the gateway keeps its data in are deleted or damaged. */
  readonly dataTrouble?: () => boolean;
}

/** Adds them to a registry: each is asked for when a scrape comes. */
export function addGauges(
  registry: Registry,
  {
    lags,
    acting,
    projectors,
    lag,
    unreached,
    deadLetters,
    away,
    dataTrouble,
    frozen,
    spool,
    configProblems = () => 0,
    drift,
    storeBytes,
  }: Gauges,
): void {
  table(registry, {
    name: 'quench_frozen',
    help: 'How many freezes hold: no playbook acts while it is not 0.',
    labelNames: [],
    read: () => [[{}, frozen?.() ?? 0]],
  });
  table(registry, {
    name: 'quench_partition_lag',
    help: 'Inputs that wait to be turned, for each partition decided here.',
    labelNames: ['partition'],
    read: () => [...lags()].map(([partition, waiting]) => [{ partition }, waiting]),
  });
  table(registry, {
    name: 'quench_partition_held',
    help: 'One for each partition that this process holds, by role.',
    labelNames: ['role', 'partition'],
    read: () => [
      ...[...lags().keys()].map((partition): Row => [{ role: 'host', partition }, 1]),
      ...acting().map((partition): Row => [{ role: 'effects', partition }, 1]),
    ],
  });
  table(registry, {
    name: 'quench_projector_lag',
    help: 'Facts that a projector of this process does not show yet.',
    labelNames: ['projector'],
    read: () => [...(projectors?.() ?? [])].map(([projector, behind]) => [{ projector }, behind]),
  });
  gauge(registry, 'quench_inputs_lag', 'Inputs that are durable and not yet turned.', lag);
  gauge(registry, 'quench_config_problems', 'What is wrong with the configuration that the gateway runs with.', async () =>
    configProblems(),
  );
  gauge(registry, 'quench_pages_unreached', 'Pages that ring and could be told to nobody on their ladder.', () => unreached?.() ?? 0);
  gauge(registry, 'quench_dead_letters', 'Deliveries kept because they were not understood.', deadLetters);
  gauge(registry, 'quench_data_trouble', 'One while the data files are deleted or damaged, else zero.', () =>
    dataTrouble?.() === true ? 1 : 0,
  );
  if (storeBytes !== undefined) {
    gauge(registry, 'quench_store_bytes', 'What the files of the store take on the disk.', storeBytes.taken);
    gauge(registry, 'quench_store_bytes_max', 'What they may take (limits.disk).', () => storeBytes.max);
  }
  gauge(registry, 'quench_log_away', 'One while the shared log is away, else zero.', () => (away?.() === true ? 1 : 0));
  gauge(
    registry,
    'quench_clock_drift_seconds',
    'Wall clock less the time the gateway goes by; zero when they agree.',
    () => (drift?.() ?? 0) / 1_000,
  );
  if (spool === undefined) return;
  gauge(registry, 'quench_spool_records', 'Batches that wait for the shared log.', () => spool().records);
  gauge(registry, 'quench_spool_bytes', 'Their size as JSON text.', () => spool().bytes);
  gauge(registry, 'quench_spool_oldest_seconds', 'Age of the oldest of them.', () => spool().oldestMs / 1_000);
}

function gauge(registry: Registry, name: string, help: string, read: () => number | Promise<number>): void {
  const made = new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      // A scrape must not fail because the store does: the last value stays.
      const value = await Promise.resolve()
        .then(read)
        .catch(() => null);
      if (value !== null) made.set(value);
    },
  });
}

/** A gauge whose label values come and go. */
function table(
  registry: Registry,
  of: { readonly name: string; readonly help: string; readonly labelNames: readonly string[]; readonly read: () => readonly Row[] },
): void {
  const made = new Gauge({
    name: of.name,
    help: of.help,
    labelNames: [...of.labelNames],
    registers: [registry],
    collect() {
      made.reset();
      for (const [labels, value] of of.read()) made.set(labels, value);
    },
  });
}

type Row = readonly [{ readonly [label: string]: string | number }, number];
