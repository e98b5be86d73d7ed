// The promise, mutated: worlds in which one guard is taken out by something put between the real parts. A checker that finds
// nothing in them proves nothing about the gateway, so each must be caught within a few hundred seeds.
import type { Checkpoints, Clock, Cursors, EventLog, LogRecord, NotifyOutcome, Store, Views } from '../../src/core/ports.ts';
import type { Fact } from '../../src/core/records.ts';
import { hour, second } from '../../src/core/time.ts';
import { createEffects } from '../../src/engine/effects.ts';
import { createHost } from '../../src/engine/host.ts';
import { createProject } from '../../src/engine/project.ts';
import type { Service, ServiceDeps } from '../../src/engine/service.ts';
import type { Tampering } from './lives.ts';

export interface Mutant {
  /** What is broken. */
  readonly says: string;
  readonly tampering: Tampering;
  /** Of the breaches that must be found; another one first would be luck. */
  readonly caught: RegExp;
}

/** What each part of a service is given instead of the plain store and clock. */
interface Parts {
  readonly host?: (store: Store, deps: ServiceDeps) => Partial<{ log: EventLog; checkpoints: Checkpoints; clock: Clock }>;
  readonly effects?: (store: Store, deps: ServiceDeps) => Partial<{ log: EventLog; cursors: Cursors; clock: Clock }>;
  readonly project?: (store: Store, deps: ServiceDeps) => Partial<{ log: EventLog; views: Views; clock: Clock }>;
}

export const mutants: readonly Mutant[] = [
  {
    says: 'effects that act as soon as a step is requested, without waiting for the grant',
    tampering: withParts({ effects: ({ log }, { worker }) => ({ log: forgingGrants(log, worker) }) }),
    caught: /^X1: .* without a grant/,
  },
  {
    says: 'a worker that has the name of the one before it',
    tampering: { worker: () => 'worker' },
    caught: /^X1: .* was done 2 times|^X1: .* when the log had ended it/,
  },
  {
    says: 'an executor that tries again what may have happened',
    tampering: {
      executor: (real) => ({
        async act(uses, request) {
          const outcome = await real.act(uses, request);
          return outcome.outcome === 'unknown' ? await real.act(uses, request) : outcome;
        },
        close: () => real.close(),
      }),
    },
    caught: /^X1: .* was done 2 times/,
  },
  {
    says: 'a host that does not skip the facts that are on the log already (H1)',
    tampering: withParts({
      host: ({ log }) => ({
        log: { ...log, read: (topic, ...rest) => (topic === 'facts' ? Promise.resolve([]) : log.read(topic, ...rest)) },
      }),
    }),
    caught: /^H1: fact/,
  },
  {
    says: 'a log that acknowledges deliveries before they are durable',
    tampering: {
      intakeLog: (log) => ({
        ...log,
        async append(topic, batch) {
          log.append(topic, batch).catch(() => {});
          return log.end(topic, batch.partition);
        },
      }),
    },
    caught: /^A1: .* was accepted and is not on the log/,
  },
  {
    says: 'a door that forgets the delivery ids of senders',
    tampering: { deliveryId: () => '' },
    caught: /^A2: /,
  },
  {
    says: 'timers that now and then forget a wait',
    tampering: withParts({ host: (_store, { clock }) => ({ clock: forgetful(clock) }) }),
    caught: /^W[12]: .* (never answered|late)|^B1|^I2|^R3/,
  },
  {
    says: 'timers that run on the wall clock',
    tampering: withParts({ host: (_store, { clock }) => ({ clock: { ...clock, steady: () => clock.now() } }) }),
    caught: /^(W1|R7): /,
  },
  {
    says: 'a checkpoint that loses a row',
    tampering: withParts({ host: ({ checkpoints }) => ({ checkpoints: losing(checkpoints) }) }),
    caught: /^L3: /,
  },
  {
    says: 'a projection whose cursor moves before its documents',
    tampering: withParts({ project: ({ views, cursors }) => ({ views: eager(views, cursors) }) }),
    caught: /^J1: /,
  },
  {
    says: 'effects whose cursor runs ahead of what they have handed over',
    tampering: withParts({
      effects: ({ log, cursors }) => ({
        cursors: {
          ...cursors,
          load: async (name, partition) => Math.max(await cursors.load(name, partition), await log.end('facts', partition)),
        },
      }),
    }),
    caught: /^X2: after a restart/,
  },
  {
    says: 'answers of notifiers that are taken for granted',
    tampering: { service: (deps) => assemble(answering(deps, { outcome: 'accepted', detail: '' }), {}) },
    caught: /^P4: .* counts as accepted and never arrived/,
  },
  {
    says: 'ladders that nobody climbs while every notifier puts us off',
    tampering: {
      service: (deps) =>
        assemble(answering(deps, { outcome: 'deferred', retryAfterMs: hour, detail: 'later' }), {
          host: ({ log }) => ({ log: withoutRungs(log) }),
        }),
    },
    caught: /^P4: page .* reached nobody/,
  },
];

function withParts(parts: Parts): Tampering {
  return { service: (deps) => assemble(deps, parts) };
}

/** The service of engine/service.ts, put together by hand so that each part can be lied to by itself. */
function assemble(deps: ServiceDeps, parts: Parts): Service {
  const { store, clock, onTrouble } = deps;
  const base = { log: store.log, clock, onTrouble };
  const partitions = Array.from({ length: store.log.partitions }, (_, partition) => partition);
  const { expressions, breathe, worker, executor, notifiers, dress, seen } = deps;
  const hosts = partitions.map((partition) =>
    createHost({ ...base, partition, checkpoints: store.checkpoints, expressions, breathe, ...parts.host?.(store, deps) }),
  );
  const hands = partitions.map((partition) =>
    createEffects({ ...base, partition, cursors: store.cursors, worker, executor, notifiers, dress, ...parts.effects?.(store, deps) }),
  );
  const views = partitions.map((partition) =>
    createProject({
      ...base,
      partition,
      views: store.views,
      cursors: store.cursors,
      seen,
      patience: () => Promise.resolve(),
      ...parts.project?.(store, deps),
    }),
  );
  return {
    async start() {
      for (const part of [...hosts, ...hands, ...views]) await part.start();
    },
    async stop(graceMs) {
      await Promise.all(hands.map((hand) => hand.stop(graceMs)));
      await Promise.all([...hosts, ...views].map((part) => part.stop()));
    },
    lag: () => 0,
    policy: () => hosts[0]?.policy() ?? null,
    frozen: () => hosts[0]?.frozen() ?? null,
    saved: (partition) => hosts[partition]?.saved ?? { inputs: 0, facts: 0 },
    bug: () => hosts.find((host) => host.bug !== null)?.bug ?? null,
    load: () => ({
      waits: hosts.reduce((sum, host) => sum + host.waits, 0),
      underWay: hands.reduce((sum, hand) => sum + hand.underWay, 0),
    }),
  };
}

/** Behind each request it shows a grant that nobody gave; half a number, so that the tail takes it for new. */
function forgingGrants(log: EventLog, worker: string): EventLog {
  const forge = (record: LogRecord): LogRecord[] => {
    const fact = record.value as Fact; // facts are written by the host only
    if (fact.type !== 'StepRequested') return [record];
    const { scope, seq, at, run, call } = fact;
    return [record, { ...record, value: { type: 'StepGranted', scope, seq: seq + 0.5, at, run, call, worker } }];
  };
  return {
    ...log,
    read: async (topic, ...rest) => (topic === 'facts' ? (await log.read(topic, ...rest)).flatMap(forge) : log.read(topic, ...rest)),
  };
}

/** Every notifier says the same, and does nothing. */
function answering(deps: ServiceDeps, outcome: NotifyOutcome): ServiceDeps {
  return { ...deps, notifiers: new Map(deps.notifiers.keys().map((name) => [name, { deliver: async () => outcome }])) };
}

/** The wakes of rungs never come. */
function withoutRungs(log: EventLog): EventLog {
  return {
    ...log,
    async append(topic, batch) {
      const values = batch.values.filter((value) => !('token' in value && String(value.token).startsWith('rung|')) || topic === 'facts');
      return values.length === 0 ? log.end(topic, batch.partition) : log.append(topic, { ...batch, values });
    },
  };
}

/** Every twentieth timer of a second or more never rings. */
function forgetful(clock: Clock): Clock {
  let count = 0;
  return {
    ...clock,
    after(span, call) {
      count += span >= second ? 1 : 0;
      return clock.after(span, span >= second && count % 20 === 0 ? () => {} : call);
    },
  };
}

/** Of all rows, every fiftieth is not saved. */
function losing(checkpoints: Checkpoints): Checkpoints {
  let count = 0;
  return {
    ...checkpoints,
    save: (partition, mark, rows) =>
      checkpoints.save(
        partition,
        mark,
        rows.filter(() => (count += 1) % 50 !== 0),
      ),
  };
}

/** The cursor first, in a step of its own. */
function eager(views: Views, cursors: Cursors): Views {
  return {
    ...views,
    async apply(batch) {
      const { cursor, partition, offset } = batch;
      await cursors.save(cursor, partition, offset);
      await cursors.save(cursor, partition, offset - 1);
      await views.apply(batch);
    },
  };
}
