// Backup and restore of a real gateway under load.
//   1  Every alert that was answered 202 before the backup began is in it, and was decided after the restore.
//   2  The copy is sound, and the gateway that wrote meanwhile answered every delivery.
//   3  A gateway that is started on the restored directory goes on: it takes alerts, and numbers its facts without gap or repeat.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Fact } from '../../src/core/records.ts';
import { realGateway, type RealGateway } from './gateway.ts';
import { recordsIn } from './records.ts';

const program = fileURLToPath(new URL('../../bin/quench.js', import.meta.url));
const seconds = 1_000;
const config = `api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
data: { dir: ./data }
endpoints: { prometheus: { source: prometheus, auth: { bearer: { file: ingest.token } }, alertsApi: true } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
storm: { alerts: 100000, within: 1m }
`;

interface Load {
  readonly accepted: ReadonlySet<string>;
  readonly refused: readonly string[];
  stop(): Promise<void>;
}

/** Posts batches of alerts all the time; remembers those that were answered 2xx, and what else was answered. */
function startLoad(gateway: RealGateway, prefix: string): Load {
  const accepted = new Set<string>();
  const refused: string[] = [];
  let stopping = false;
  let number = 0;
  const headers = { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' };
  async function worker(): Promise<void> {
    while (!stopping) {
      const ids = Array.from({ length: 20 }, () => `${prefix}${(number += 1)}`);
      const alerts = ids.map((id) => ({
        labels: { alertname: 'Noise', instance: `host${number % 500}`, severity: 'info', filler: 'x'.repeat(500) },
        annotations: { uid: id },
        startsAt: new Date(Date.now()).toISOString(),
      }));
      const answer = await fetch(`${gateway.url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify(alerts) });
      if (answer.ok) for (const id of ids) accepted.add(id);
      else refused.push(`${answer.status}`);
      await answer.arrayBuffer();
    }
  }
  const workers = [worker(), worker(), worker(), worker()];
  return {
    accepted,
    refused,
    async stop() {
      stopping = true;
      await Promise.all(workers);
    },
  };
}

async function quench(...argv: readonly string[]): Promise<{ readonly exit: number | null; readonly said: string }> {
  const child = spawn(process.execPath, [program, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exit, said };
}

const uidsIn = (path: string): ReadonlySet<string> =>
  new Set(recordsIn(path, 0).flatMap(({ value }) => (value.type === 'AlertSeen' ? [value.event.annotations['uid'] ?? ''] : [])));

const missing = (accepted: Iterable<string>, found: ReadonlySet<string>): readonly string[] =>
  [...accepted].filter((uid) => !found.has(uid));

async function decided(gateway: RealGateway): Promise<void> {
  for (let round = 0; round < 240; round += 1) {
    const metrics = await fetch(`${gateway.url}/metrics`).then((answer) => answer.text());
    if (/^quench_inputs_lag 0$/m.test(metrics)) return;
    await sleep(250);
  }
  assert.fail('inputs are undecided a minute after the load ended');
}

test(
  'a backup under load holds everything accepted before it began, and a gateway goes on from it',
  { timeout: 180_000 },
  async (context) => {
    const gateway = await realGateway({ config, playbooks: {} });
    const restored = await realGateway({ config, playbooks: {} });
    let load: Load | null = null;
    try {
      await gateway.start();
      load = startLoad(gateway, 'a');
      await sleep(3 * seconds);
      const before = new Set(load.accepted);
      const file = join(gateway.dir, 'backup.db');
      const backup = await quench('backup', file, '--config', gateway.dir);
      assert.equal(backup.exit, 0, backup.said);
      const during = load.accepted.size - before.size;
      assert.ok(before.size > 0 && during > 0, 'the load went on while the backup was made');
      await load.stop();
      assert.deepEqual(load.refused, [], '2: nobody was turned away');

      const db = new DatabaseSync(file, { readOnly: true });
      assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok', '2');
      db.close();
      assert.deepEqual(missing(before, uidsIn(file)), [], '1: everything accepted before is in the copy');

      await gateway.kill();
      const to = join(restored.dir, 'data');
      const put = await quench('restore', file, '--to', to);
      assert.equal(put.exit, 0, put.said);
      await restored.start();
      await decided(restored);
      const more = startLoad(restored, 'b');
      await sleep(1 * seconds);
      await more.stop();
      await decided(restored);
      await restored.stop();

      const path = join(to, 'quench.db');
      assert.deepEqual(missing([...before, ...more.accepted], uidsIn(path)), [], '1 and 3');
      assert.ok(more.accepted.size > 0, '3');
      const facts = recordsIn(path, 1).map(({ value }) => value as Fact);
      const counts = new Map<number, number>();
      for (const fact of facts) if (fact.type === 'AlertDecided') counts.set(fact.offset, (counts.get(fact.offset) ?? 0) + 1);
      for (const { offset, value } of recordsIn(path, 0))
        if (value.type === 'AlertSeen') assert.equal(counts.get(offset), 1, '1: decided once');
      const numbers = facts.filter(({ scope }) => scope === 'default').map(({ seq }) => seq);
      assert.deepEqual(
        numbers,
        numbers.map((_, place) => place + 1),
        '3: facts are numbered without gap or repeat',
      );
      const again = await quench('restore', file, '--to', to);
      assert.equal(again.exit, 1, again.said);
      context.diagnostic(JSON.stringify({ before: before.size, during, after: more.accepted.size, said: backup.said.trim() }));
    } finally {
      await load?.stop();
      await gateway.kill();
      await restored.kill();
      gateway.remove();
      restored.remove();
    }
  },
);
