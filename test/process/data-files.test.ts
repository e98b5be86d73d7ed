// Data files that are deleted under a gateway, or damaged: it is noticed and said, the door stays open, and nothing answered 200 is lost.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until as soon } from '../support/living.ts';
import { deliver as alert } from './alert.ts';
import { realGateway, type RealGateway } from './gateway.ts';

const pageBytes = 4_096;

const config = `
data: { dir: data }
api: { tokens: { admin: { role: admin, secret: { file: admin.token } } } }
endpoints: { am: { source: prometheus, allowUnauthenticated: true } }
notifiers: { console: { type: console } }
ladders: { default: { rungs: [{ notify: console }] } }
settle: 0s
failOpen: { after: 10s, notify: console }
`;

async function house(t: TestContext): Promise<RealGateway> {
  const gateway = await realGateway({ config, playbooks: {} });
  t.after(async () => {
    await gateway.kill();
    gateway.remove();
  });
  await gateway.start();
  return gateway;
}

async function text(gateway: RealGateway, path: string): Promise<string> {
  const answer = await fetch(`${gateway.url}${path}`, { headers: { connection: 'close' } });
  return `${answer.status} ${await answer.text()}`;
}

const until = (what: string, holds: () => Promise<boolean> | boolean, withinMs = 30_000): Promise<void> => soon(what, holds, withinMs);

async function namesIn(gateway: RealGateway): Promise<ReadonlySet<string>> {
  const { items } = (await gateway.api('/api/v1/alerts?limit=200')) as { items: { name: string }[] };
  return new Set(items.map(({ name }) => name));
}

/** Alerts, one after the other, until somebody ends it; those that were answered 200. */
function pour(gateway: RealGateway): { readonly taken: Set<string>; readonly refused: () => number; end(): Promise<void> } {
  const taken = new Set<string>();
  let refused = 0;
  let isOver = false;
  const running = (async () => {
    for (let at = 0; !isOver && at < 150; at += 1) {
      const status = await alert(gateway, `Poured${at}`);
      assert.ok(status === 200 || status === 503, `answered ${status}`);
      if (status === 200) taken.add(`Poured${at}`);
      else refused += 1;
      await sleep(5);
    }
  })();
  const end = (): Promise<void> => {
    isOver = true;
    return running;
  };
  return { taken, refused: () => refused, end };
}

const ways = {
  'the whole directory is deleted': (dir: string) => rmSync(join(dir, 'data'), { recursive: true }),
  'the file is deleted and its WAL is left': (dir: string) => rmSync(join(dir, 'data/quench.db')),
  'the WAL is deleted': (dir: string) => rmSync(join(dir, 'data/quench.db-wal')),
} as const;

for (const [name, spoil] of Object.entries(ways)) {
  test(
    `F10: ${name} under load: 503, readyz, metric and log say so, and after kill -9 everything answered 200 is there`,
    { timeout: 120_000 },
    async (t) => {
      const gateway = await house(t);
      assert.equal(await alert(gateway, 'Before'), 200);
      const poured = pour(gateway);
      await until('some are taken', () => poured.taken.size > 10);
      spoil(gateway.dir);
      await until('some are refused', () => poured.refused() > 5);
      await poured.end();
      const taken = new Set(poured.taken);
      await until('readyz says it', async () => /^503 .*"name":"data","ok":false/.test(await text(gateway, '/readyz')));
      assert.match(await text(gateway, '/metrics'), /\nquench_data_trouble 1\n/);
      await until(
        'the log says what to do',
        () => /the data files are in trouble/.test(gateway.log()) && /restart the gateway/.test(gateway.log()),
      );
      await gateway.kill();
      assert.ok(!existsSync(join(gateway.dir, 'data/quench.db')));
      await gateway.start();
      assert.match(gateway.log(), /what that gateway rescued is used/);
      await until('the read model has it all', async () => {
        const names = await namesIn(gateway);
        return ['Before', ...taken].every((one) => names.has(one));
      });
      assert.match(await text(gateway, '/readyz'), /^200 /);
      assert.equal(await alert(gateway, 'After'), 200);
      await gateway.stop();
      await gateway.start();
      assert.ok((await namesIn(gateway)).has('After'));
    },
  );
}

for (const file of ['quench.state.db', 'quench.state.db-wal']) {
  test(
    `F10: ${file} is deleted under load: alerts are taken in and decided all the same, it is said, and after kill -9 nothing is lost`,
    { timeout: 120_000 },
    async (t) => {
      const gateway = await house(t);
      assert.equal(await alert(gateway, 'Before'), 200);
      const poured = pour(gateway);
      await until('some are taken', () => poured.taken.size > 10);
      rmSync(join(gateway.dir, 'data', file));
      await until('readyz says it', async () => /^503 .*"name":"data","ok":false/.test(await text(gateway, '/readyz')));
      const before = poured.taken.size;
      await until('the state is rescued', () => existsSync(join(gateway.dir, 'data/quench.state.db.rescued')));
      await until('alerts go on', () => poured.taken.size > before + 5);
      await poured.end();
      assert.equal(poured.refused(), 0, 'the log takes them');
      assert.equal(await alert(gateway, 'Late'), 200);
      await until('it is decided', async () => /\nquench_inputs_lag 0\n/.test(await text(gateway, '/metrics')));
      await gateway.kill();
      await gateway.start();
      assert.match(gateway.log(), /quench\.state\.db had been deleted while a gateway used it; what that gateway rescued is used/);
      assert.doesNotMatch(gateway.log(), /made anew/);
      await until('the read model has it all', async () => {
        const names = await namesIn(gateway);
        return ['Before', 'Late', ...poured.taken].every((one) => names.has(one));
      });
      assert.match(await text(gateway, '/readyz'), /^200 /);
    },
  );
}

test('F10: a state that is missing at the start is made anew from the log', { timeout: 60_000 }, async (t) => {
  const gateway = await house(t);
  assert.equal(await alert(gateway, 'Before'), 200);
  await until('it is shown', async () => (await namesIn(gateway)).has('Before'));
  await gateway.stop();
  for (const name of readdirSync(join(gateway.dir, 'data')))
    if (name.startsWith('quench.state.db')) rmSync(join(gateway.dir, 'data', name));
  await gateway.start();
  assert.match(gateway.log(), /quench\.state\.db was missing: another is made anew from the log/);
  await until('it is shown again', async () => (await namesIn(gateway)).has('Before'));
  assert.equal(await alert(gateway, 'After'), 200);
});

test('F10: idle, too: a deletion that no delivery runs into is noticed within seconds', { timeout: 60_000 }, async (t) => {
  const gateway = await house(t);
  assert.equal(await alert(gateway, 'Before'), 200);
  rmSync(join(gateway.dir, 'data'), { recursive: true });
  for (const file of ['quench.db', 'quench.state.db'])
    await until(`${file} is rescued`, () => existsSync(join(gateway.dir, `data/${file}.rescued`)), 30_000);
});

test('F10: a rescue that finds no place for it, as while somebody still deletes, is tried again', { timeout: 60_000 }, async (t) => {
  const gateway = await house(t);
  assert.equal(await alert(gateway, 'Before'), 200);
  const rescued = join(gateway.dir, 'data/quench.db.rescued');
  rmSync(join(gateway.dir, 'data'), { recursive: true });
  mkdirSync(rescued, { recursive: true });
  await until('it fails', () => /could not be rescued yet/.test(gateway.log()), 30_000);
  rmSync(rescued, { recursive: true });
  await until('it is rescued', () => existsSync(rescued) && statSync(rescued).isFile(), 30_000);
});

/** Overwrites those pages of the closed store that the question says yes to. */
function damage(dir: string, file: string, isHit: (page: Buffer, at: number) => boolean): void {
  const path = join(dir, 'data', file);
  const bytes = readFileSync(path);
  let hits = 0;
  for (let at = 0; at < bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    if (!isHit(page, at)) continue;
    page.fill(0xa5);
    hits += 1;
  }
  assert.ok(hits > 0, 'a page was hit');
  writeFileSync(path, bytes);
}

/** Holds documents or rows of desks, which nothing needs to open the store: which pages those are differs from run to run. */
function isOfRows(page: Buffer): boolean {
  return page.includes('Before') && !page.includes('"type":"');
}

test(
  'F10: damaged pages are found at the start and said; alerts are taken in all the same, or answered 503',
  { timeout: 60_000 },
  async (t) => {
    const gateway = await house(t);
    for (let at = 0; at < 40; at += 1) await alert(gateway, `Before${at}`);
    await gateway.stop();
    damage(gateway.dir, 'quench.state.db', isOfRows);
    const started = gateway.start().catch(() => {}); // readyz says no, so it is not up in its sense
    await until('the log says it', () => /the data files are in trouble.*is damaged/.test(gateway.log()));
    assert.match(
      await text(gateway, '/readyz'),
      /^503 .*"name":"data","ok":false,"note":"the data files are deleted or damaged: see the log"/,
    );
    assert.match(await text(gateway, '/metrics'), /\nquench_data_trouble 1\n/);
    assert.match(String(await alert(gateway, 'Meanwhile')), /^(200|503)$/);
    assert.doesNotMatch(gateway.log(), /this is a bug/);
    await gateway.kill();
    await started.catch(() => {});
  },
);

test('F10: a store that is no database any more is set aside, and the door opens on a new one', { timeout: 60_000 }, async (t) => {
  const gateway = await house(t);
  await alert(gateway, 'Before');
  await gateway.stop();
  damage(gateway.dir, 'quench.db', (_page, at) => at === 0);
  const started = gateway.start().catch(() => {});
  await until('it takes alerts in', async () => (await alert(gateway, 'After').catch(() => 0)) === 200);
  assert.ok(readdirSync(join(gateway.dir, 'data')).some((name) => name.startsWith('quench.db.damaged-2')));
  await until('the log says it', () => /was damaged \(.*\) and is now .*damaged-2.*the gateway began anew/.test(gateway.log()));
  assert.match(await text(gateway, '/readyz'), /^503 .*"name":"data","ok":false/);
  await gateway.kill();
  await started.catch(() => {});
});

test(
  'F10: a row of state that is no JSON any more is called damaged, not a bug, and critical alerts are paged raw',
  { timeout: 60_000 },
  async (t) => {
    const gateway = await house(t);
    await alert(gateway, 'Before');
    await gateway.stop();
    const db = new DatabaseSync(join(gateway.dir, 'data/quench.state.db'));
    const { changes } = db.prepare('UPDATE desks SET doc = substr(doc, 1, 20)').run();
    db.close();
    assert.ok(Number(changes) > 0);
    const started = gateway.start().catch(() => {});
    await until('the log says it', () => /a row of desks holds no JSON any more/.test(gateway.log()));
    await until('it is said by whoever reads it', () => /a stored record is damaged/.test(gateway.log()));
    assert.equal(await alert(gateway, 'Meanwhile'), 200);
    await until('it is paged raw', () => /Meanwhile/.test(gateway.log()));
    assert.doesNotMatch(gateway.log(), /SyntaxError|this is a bug/);
    await gateway.kill();
    await started.catch(() => {});
  },
);
