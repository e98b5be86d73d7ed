// The engine as compose.ts builds it, in the bench's own process, with a watch on what becomes durable when; over any log.
import { setImmediate as nextRound } from 'node:timers/promises';
import { createExpressions } from '../adapters/cel/expressions.ts';
import { prometheus } from '../adapters/prometheus/source.ts';
import { sqliteLimits, sqliteStore } from '../adapters/sqlite/store.ts';
import type { AlertDecided } from '../src/core/decide/facts.ts';
import type { Fact } from '../src/core/records.ts';
import { everyScope } from '../src/core/stamp.ts';
import { everyPartition } from '../src/engine/assignments.ts';
import { createIntake, type Intake } from '../src/engine/intake/intake.ts';
import { createService, type Service } from '../src/engine/service.ts';
import { localExecutor } from '../src/executor/local.ts';
import { systemClock } from '../src/gateway/clock.ts';
import type { Backbone } from '../src/ports/backbone.ts';
import type { EventLog } from '../src/ports/event-log.ts';
import { roles } from '../src/ports/shares.ts';
import type { Store } from '../src/ports/store.ts';
import { policyOf } from '../test/support/policy.ts';
import { folder } from './support.ts';

/** Enough scopes for every partition to have its part. */
const teams = 32;

/** The body of a delivery of new alerts of one team, numbered from `first`. */
export function bodyOf(first: number, count: number): string {
  const alerts = Array.from({ length: count }, (_, place) => {
    const number = first + place;
    const labels = {
      alertname: 'HostDown',
      instance: `h${number}.example.org:9100`,
      severity: 'critical',
      region: 'eu-west-1',
      team: `team${Math.floor(first / 64) % teams}`,
    };
    const annotations = { summary: `h${number} is down`, description: 'The host has not answered its probe for more than five minutes.' };
    return { status: 'firing', labels, annotations, startsAt: new Date().toISOString(), endsAt: '0001-01-01T00:00:00Z' };
  });
  return JSON.stringify({ version: '4', groupKey: 'g', status: 'firing', receiver: 'quench', alerts });
}

export interface Inside {
  /** Of the embedded store's file. */
  readonly path: string;
  readonly intake: Intake;
  readonly service: Service;
  /** When the decision about the input at a place (`partition:offset`) became durable. */
  readonly decidedAt: Map<string, number>;
  readonly acceptedAt: Map<string, number>;
  stop(): Promise<void>;
}

export interface InsideOptions {
  /** False: everything is turned in the order in which it came. */
  readonly lanes?: boolean;
  readonly decided?: (fact: Fact) => void;
  /** `limits.backlog`; the default slows nobody. */
  readonly lagMax?: number;
  /** Between two batches of decisions. */
  readonly makeWay?: (underWay: () => number, backlog: () => number) => Promise<void>;
}

/** Over the embedded log, or over the shared one that `open` makes. */
export async function startInside(
  scopeLabels: readonly string[] = [],
  open?: (local: Store) => Promise<Backbone>,
  { lanes = true, decided = () => {}, lagMax = 10_000_000, makeWay = () => nextRound() }: InsideOptions = {},
): Promise<Inside> {
  const dir = folder();
  const path = `${dir.path}/quench.db`;
  const store = await sqliteStore({ path, partitions: 1, limits: { ...sqliteLimits, queueRecordsMax: 100_000, stateRestMs: 100 } });
  const backbone = await open?.(store);
  const shared: Pick<Store, 'log' | 'checkpoints' | 'cursors'> = backbone ?? store;
  const alone = everyPartition(shared.log.partitions);
  const decidedAt = new Map<string, number>();
  const acceptedAt = new Map<string, number>();
  const { bulk, ...ordered } = shared.log;
  const log: EventLog = {
    ...ordered,
    ...(bulk === undefined || !lanes ? {} : { bulk }),
    async append(topic, one) {
      const offset = await shared.log.append(topic, one);
      const now = performance.now();
      if (topic === 'inputs')
        for (let place = 0; place < one.values.length; place += 1) acceptedAt.set(`${one.partition}:${offset + place}`, now);
      // The host appends facts only.
      else
        for (const fact of one.values as readonly Fact[])
          if (fact.type === 'AlertDecided') decidedAt.set(`${one.partition}:${(fact satisfies AlertDecided).offset}`, now);
      return offset;
    },
  };
  let opened: Intake | null = null;
  const service: Service = createService({
    roles: new Set(roles),
    shared: { log, checkpoints: shared.checkpoints, cursors: shared.cursors },
    local: store,
    shares: (role) => backbone?.shares(role) ?? alone,
    clock: systemClock,
    expressions: createExpressions(),
    executor: localExecutor([]),
    notifiers: new Map(),
    withLinks: (notification) => notification,
    worker: 'bench',
    yieldToIntake: () => makeWay(() => opened?.underWay ?? 0, service.lag),
    decided,
    onTrouble: (error) => console.error(error),
  });
  await service.start();
  const endpoints = ['prometheus', 'other'].map((name) => ({ name, source: prometheus({}), tenant: 'default', scopeLabels }));
  const parts = {
    log,
    deadLetters: store.deadLetters,
    endpoints,
    clock: systemClock,
    lagOf: () => service.lag(),
    lagMax,
    onAccepted: () => {},
  };
  const intake = await createIntake(parts);
  opened = intake;
  await intake.submit({ type: 'PolicyPublished', scope: everyScope, policy: policyOf() });
  return {
    path,
    intake,
    service,
    decidedAt,
    acceptedAt,
    async stop() {
      await service.stop(1_000);
      await backbone?.close();
      await store.close();
      dir.remove();
    },
  };
}

export function deliver(inside: Inside, body: string, endpoint = 'prometheus'): Promise<{ readonly status: string }> {
  const headers = { 'content-type': 'application/json' };
  return inside.intake.accept(endpoint, { headers, body, path: '', receivedAt: Date.now() }, '');
}
