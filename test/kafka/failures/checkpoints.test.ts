// What can happen to saved desks: another process loads them, their process dies in the middle of a save, the broker compacts them away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CheckpointMark, DeskRow } from '../../../src/ports/checkpoints.ts';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { everythingIn, newPrefix, open, outsider, patienceMs, withAdmin, type Opened } from './support.ts';

const presence = kafkaPresence({ own: true });
const saver = fileURLToPath(new URL('./saver.ts', import.meta.url));
const kills = 4;
/** As saver.ts has it. */
const rowsPerSave = 600;

describe('desks on a broker', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  before(async () => {
    presence.demand();
    // The cleaner looks every quarter of a second instead of every 15 s.
    cluster = await startKafka({ brokers: 1, properties: { 'log.cleaner.backoff.ms': '250' } });
  });
  after(() => cluster?.stop());

  async function loaded({ backbone }: Opened): Promise<{ readonly mark: CheckpointMark | null; readonly rows: readonly DeskRow[] }> {
    const rows: DeskRow[] = [];
    const mark = await backbone.checkpoints.load(0, (chunk) => rows.push(...chunk));
    return { mark, rows };
  }

  test('D2: who was overtaken by a loader saves no more, and its save is nowhere to be read', async () => {
    const older = await open(cluster);
    const newer = await open(cluster, { topicPrefix: older.prefix });
    try {
      const save = (of: Opened, count: number): Promise<void> =>
        of.backbone.checkpoints.save(0, { inputs: 0, facts: 0 }, [rowOf('a', count)]);
      await loaded(older);
      await save(older, 1);
      assert.deepEqual((await loaded(newer)).rows, [rowOf('a', 1)]);
      await save(newer, 2);

      await assert.rejects(save(older, 3), { code: 'store_unavailable' });
      await assert.rejects(save(older, 4), { code: 'store_unavailable' }, 'nor a second time: only loading makes it ours again');

      assert.deepEqual((await loaded(newer)).rows, [rowOf('a', 2)]);
      await loaded(older);
      await save(older, 5);
      await assert.rejects(save(newer, 6), { code: 'store_unavailable' });
    } finally {
      await older.close();
      await newer.close();
    }
  });

  test('D1: of a process that is killed while it saves, one save is found: the last that ended, or the one after it', async (t) => {
    const topicPrefix = newPrefix();
    let began = 0;
    const ends: string[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const ended = await killedWhileSaving(topicPrefix, began, 100 + 37 * kill);
      const opened = await open(cluster, { topicPrefix });
      try {
        const { mark, rows } = await loaded(opened);
        const counts = new Set(rows.map(({ doc }) => (doc as { readonly count: number }).count)); // written by rowOf
        assert.deepEqual([...counts], [mark?.inputs], `rows and mark are of one save: ${[...counts].join(', ')} and ${mark?.inputs}`);
        assert.equal(rows.length, rowsPerSave);
        assert.ok(
          mark !== null && (mark.inputs === ended || mark.inputs === ended + 1),
          `${ended} was the last that ended, ${mark?.inputs} is found`,
        );
        ends.push(`${ended}/${mark.inputs}`);
        began = mark.inputs;
      } finally {
        await opened.close();
      }
    }
    t.diagnostic(`last ended / found: ${ends.join(', ')}`);
  });

  /** Resolves to the number of the last save whose end the process told. */
  async function killedWhileSaving(prefix: string, from: number, afterMs: number): Promise<number> {
    const child = spawn(process.execPath, [saver, cluster.bootstrap.join(','), prefix, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let last = 0;
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => (last = Number(line)));
      await until('the process saves', {
        withinMs: patienceMs,
        look: async () => (last > from ? true : null),
        seen: async () => `exit ${child.exitCode}`,
      });
      await sleep(afterMs);
      child.kill('SIGKILL');
      await once(lines, 'close');
      return last;
    } finally {
      child.kill('SIGKILL');
    }
  }

  test('compaction takes old rows away, and neither a row that is needed nor the mark', async () => {
    const opened = await open(cluster);
    const { backbone, prefix } = opened;
    const topic = `${prefix}desks`;
    const quick = {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '0',
      'max.message.bytes': '8388608',
    };
    const configEntries = Object.entries(quick).map(([name, value]) => ({ name, value }));
    const stored = async (): Promise<number> =>
      (await everythingIn(outsider(cluster), topic)).filter(({ partition }) => partition === 0).length;
    let saves = 0;
    const save = (rows: readonly DeskRow[]): Promise<void> => {
      saves += 1;
      return backbone.checkpoints.save(0, { inputs: 0, facts: 0 }, rows);
    };
    try {
      await withAdmin(outsider(cluster), (admin) =>
        admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] }),
      );
      await loaded(opened);
      await save([rowOf('kept', 0), rowOf('gone', 0)]);
      await save([{ ...rowOf('gone', 0), doc: null }]);

      await until('fewer records than were written', {
        withinMs: patienceMs,
        async look() {
          await sleep(150); // a segment's time
          await save([rowOf('often', saves + 1)]);
          return (await stored()) < saves ? true : null;
        },
        seen: async () => `${await stored()} records after ${saves} saves`,
      });

      const { mark, rows } = await loaded(opened);
      assert.deepEqual(mark, { inputs: 0, facts: 0 });
      assert.deepEqual(
        rows.toSorted((a, b) => a.key.localeCompare(b.key)),
        [rowOf('kept', 0), rowOf('often', saves)],
      );
    } finally {
      await opened.close();
    }
  });
});

function rowOf(key: string, count: number): DeskRow {
  return { scope: 'team', table: 'alerts', key, doc: { count } };
}
