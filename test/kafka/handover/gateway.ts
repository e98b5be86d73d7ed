// One gateway's engine over a real shared log, as a program of its own that a test may stop and kill; tells when a partition comes and goes.
// Has no door: inputs are the test's.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { openKafka } from '../../../adapters/kafka/backbone.ts';
import type { KafkaOptions } from '../../../adapters/kafka/options.ts';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';
import { createService } from '../../../src/engine/service.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import { roles, type Shares } from '../../../src/ports/shares.ts';

/** `at`: milliseconds of the machine's steady clock. `began`: the desks are loaded and turning goes on. */
export interface Heard {
  readonly at: number;
  readonly what: 'gained' | 'began' | 'lost' | 'stopped' | 'trouble';
  readonly partition: number;
  readonly text?: string;
}

export function steady(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function run(options: KafkaOptions, instance: string): Promise<() => Promise<void>> {
  const tell = (what: Heard['what'], partition: number, text = ''): void => void process.send?.({ at: steady(), what, partition, text });
  const trouble = (error: unknown): void => tell('trouble', -1, String(error));
  const dir = mkdtempSync(join(tmpdir(), 'quench-handover-'));
  const local = await sqliteStore({
    path: join(dir, 'quench.db'),
    partitions: options.partitions ?? 1,
    limits: sqliteLimits,
    clock: systemClock,
  });
  const logger = { info: () => {}, warn: (_: object, text: string) => trouble(text), error: (_: object, text: string) => trouble(text) };
  const watch = { appended: () => {}, rebalanced: () => {} };
  const backbone = await openKafka(options, { clock: systemClock, logger, watch, local, instance, retentionMs: 86_400_000 });
  const hosts = backbone.shares('host');
  const told: Shares = {
    ...hosts,
    start: ({ gained, lost }) =>
      hosts.start({
        async gained(partition) {
          tell('gained', partition);
          await gained(partition);
          tell('began', partition);
        },
        async lost(partition) {
          tell('lost', partition);
          await lost(partition);
        },
      }),
  };
  const accept = { deliver: async () => ({ outcome: 'accepted', detail: '' }) as const };
  const service = createService({
    roles: new Set(roles),
    shared: backbone,
    local,
    shares: (role) => (role === 'host' ? told : backbone.shares(role)),
    clock: systemClock,
    expressions: createExpressions(),
    executor: { slot: async (lane) => ({ lane, free: () => {} }), act: async () => ({ outcome: 'ok', output: {} }), close: async () => {} },
    notifiers: new Map([
      ['first', accept],
      ['second', accept],
    ]),
    withLinks: (notification) => notification,
    worker: instance,
    yieldToIntake: () => nextRound(),
    decided: () => {},
    onTrouble: trouble,
  });
  await service.start();
  return async () => {
    await service.stop(2_000);
    await backbone.close();
    await local.close();
    rmSync(dir, { recursive: true, force: true });
    tell('stopped', -1);
  };
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const { options, instance } = JSON.parse(process.argv[2] ?? '{}') as { options: KafkaOptions; instance: string }; // from the test
  const stop = await run(options, instance);
  process.once('message', () => void stop().then(() => process.exit(0)));
  process.on('disconnect', () => process.exit(0));
}
