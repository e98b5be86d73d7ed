// How fast is the embedded store, against the least that durability can cost: a bare file, appended and fdatasynced the same way.
// Run: node bench/store.ts [rounds] [seconds per cell]. Every round runs every cell, so that a noisy moment hits all; the ratio is the
// median of the rounds' ratios to the file in the same shape. Only ratios travel between machines.
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sqliteLimits, sqliteStore } from '../adapters/sqlite/store.ts';

const sync = promisify(fdatasync);
const rounds = Number(process.argv[2] ?? 5);
const cellMs = Number(process.argv[3] ?? 1) * 1_000;

/** About 600 bytes of JSON. */
const record = { type: 'AlertSeen', scope: 'acme', at: 1, fingerprint: 'f'.repeat(40), labels: { host: 'db1', text: 'x'.repeat(470) } };
const oneOf = (count: number): readonly object[] => Array.from({ length: count }, () => record);

interface Engine {
  append(values: readonly object[]): Promise<unknown>;
  close(): Promise<void>;
}

const shapes = [
  { name: 'singly', callers: 1, batch: 1 },
  { name: '64 callers', callers: 64, batch: 1 },
  { name: '256 callers', callers: 256, batch: 1 },
  { name: 'batches of 64', callers: 8, batch: 64 },
] as const;

/** One file; what waits is written and synced together, by the thread pool. */
function bareFile(folder: string): Engine {
  const file = openSync(join(folder, 'bare.log'), 'a');
  let waiting: { text: string; done: () => void }[] = [];
  let flying = false;
  async function flush(): Promise<void> {
    const group = waiting;
    waiting = [];
    writeSync(file, group.map(({ text }) => text).join(''));
    await sync(file);
    for (const { done } of group) done();
    flying = waiting.length > 0;
    if (flying) setImmediate(flush);
  }
  return {
    append: (values) =>
      new Promise<void>((done) => {
        waiting.push({ text: `${JSON.stringify(values)}\n`, done });
        if (!flying) setImmediate(flush);
        flying = true;
      }),
    close: async () => closeSync(file),
  };
}

async function sqlite(folder: string): Promise<Engine> {
  const store = await sqliteStore({ path: join(folder, 'store.db'), partitions: 1, limits: sqliteLimits });
  return {
    append: (values) => store.log.append('inputs', { partition: 0, scope: 'acme', values }),
    close: () => store.close(),
  };
}

interface Cell {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function measure(engine: Engine, callers: number, batch: number): Promise<Cell> {
  const values = oneOf(batch);
  const took: number[] = [];
  const start = performance.now();
  const caller = async (): Promise<void> => {
    for (;;) {
      const at = performance.now();
      if (at - start > cellMs) return;
      await engine.append(values);
      took.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - start) / 1_000;
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return { perSecond: (took.length * batch) / seconds, p50: at(0.5), p99: at(0.99) };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

const cells = new Map<string, { file: Cell[]; store: Cell[] }>(shapes.map(({ name }) => [name, { file: [], store: [] }]));
for (let round = 0; round < rounds; round += 1) {
  for (const { name, callers, batch } of shapes) {
    for (const kind of ['file', 'store'] as const) {
      const folder = mkdtempSync(join(tmpdir(), 'quench-bench-'));
      const engine = kind === 'file' ? bareFile(folder) : await sqlite(folder);
      cells.get(name)?.[kind].push(await measure(engine, callers, batch));
      await engine.close();
      rmSync(folder, { recursive: true });
    }
  }
}

console.table(
  [...cells].map(([name, { file, store }]) => {
    const of = (list: readonly Cell[], pick: keyof Cell): number => Number(median(list.map((cell) => cell[pick])).toPrecision(3));
    return {
      shape: name,
      'file/s': of(file, 'perSecond'),
      'store/s': of(store, 'perSecond'),
      ratio: Number(median(store.map((cell, round) => cell.perSecond / (file[round]?.perSecond ?? 1))).toFixed(2)),
      'file p50 ms': of(file, 'p50'),
      'file p99 ms': of(file, 'p99'),
      'store p50 ms': of(store, 'p50'),
      'store p99 ms': of(store, 'p99'),
    };
  }),
);
