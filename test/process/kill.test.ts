// The real gateway under load, killed with SIGKILL again and again: what it promised must hold on disk afterwards.
// KILLS sets how often; 50 takes about three minutes. The seed is printed and may be given as SEED; KEEP=1 leaves the folder behind.
//   1  Every alert that was answered 202 is on the log and was decided, once.
//   2  No call was acted on twice; nothing was acted on that the log had not granted.
//   3  Every run ended, every page reached somebody, and nothing waits for a timer that was lost.
//   4  A page that was outstanding when the gateway was killed (its receiver was down) is reached afterwards.
//   5  Whoever was called for what has ended hears of the end.
//   6  Nothing stale leaves: each word was true when it was granted, and when it arrived.
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact } from '../../src/core/records.ts';
import { ledgerPlaybook, realGateway, type RealGateway } from './gateway.ts';
import { ledgerConfig, ledgerIn, startSink, type Sink } from './ledger.ts';
import { recordsIn } from './records.ts';
import { followWords, staleWords, unended } from './words.ts';

const kills = Number(process.env['KILLS'] ?? 50);
const seed = Number(process.env['SEED'] ?? 20_261_121);
/** Leaves the folder behind. */
const keep = process.env['KEEP'] === '1';
const everyMs = 10;
const clearWithinMs = 4_000;
const againAfterMs = 100;

/** Mulberry32: small, seeded, good enough to choose moments. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Load {
  readonly accepted: Set<string>;
  /** Says after a while that the alert of this host has ended, until it is accepted. */
  clear(host: string): void;
  stop(): Promise<void>;
}

/** Posts small batches all the time; remembers what was answered 2xx. One alert in twenty wants a playbook, one in twenty a page. */
function startLoad(gateway: RealGateway, random: () => number): Load {
  const accepted = new Set<string>();
  const startedAt = new Map<string, string>();
  const clearing = new Set<Promise<void>>();
  let stopping = false;
  let number = 0;

  function alertOf(id: string): object {
    const kind = random() < 0.05 ? 'Fix' : random() < 0.05 ? 'Page' : 'Noise';
    const host = kind === 'Noise' ? `noise${Math.floor(random() * 400)}` : `h${id}`;
    const cleared = kind === 'Noise' && random() < 0.3;
    const startsAt = new Date(Date.now()).toISOString();
    if (kind === 'Page') startedAt.set(host, startsAt);
    return {
      labels: { alertname: kind, instance: host, severity: kind === 'Noise' ? 'info' : 'critical' },
      annotations: { uid: id },
      startsAt,
      ...(cleared ? { endsAt: new Date(Date.now() - 1).toISOString() } : {}),
    };
  }

  async function post(): Promise<void> {
    const ids = Array.from({ length: 1 + Math.floor(random() * 3) }, () => String((number += 1)));
    await send(ids, ids.map(alertOf));
  }

  async function send(ids: readonly string[], alerts: readonly object[]): Promise<boolean> {
    const headers = { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' };
    const body = JSON.stringify(alerts);
    const answer = await fetch(`${gateway.url}/api/v2/alerts`, { method: 'POST', headers, body }).catch(() => null);
    if (answer?.ok === true) for (const id of ids) accepted.add(id);
    await answer?.arrayBuffer().catch(() => null);
    return answer?.ok === true;
  }

  async function clearSoon(host: string): Promise<void> {
    await sleep(random() * clearWithinMs);
    for (;;) {
      const id = String((number += 1));
      const labels = { alertname: 'Page', instance: host, severity: 'critical' };
      const times = { startsAt: startedAt.get(host), endsAt: new Date().toISOString() };
      if (await send([id], [{ labels, annotations: { uid: id }, ...times }])) return;
      await sleep(againAfterMs);
    }
  }

  async function worker(): Promise<void> {
    while (!stopping) {
      await post();
      await sleep(everyMs);
    }
  }
  const workers = [worker(), worker()];
  return {
    accepted,
    clear(host) {
      if (stopping) return;
      const one = clearSoon(host).finally(() => clearing.delete(one));
      clearing.add(one);
    },
    async stop() {
      stopping = true;
      await Promise.all([...workers, ...clearing]);
    },
  };
}

test(
  `${kills} times killed under load: nothing accepted is lost, nothing is done twice, pages go out`,
  { timeout: 1_800_000 },
  async (context) => {
    const random = randomFrom(seed);
    const sink = await startSink();
    const { delivered } = sink;
    const gateway = await realGateway({ config: '', playbooks: {}, startWithinMs: 90_000 });
    const { script, acts } = ledgerIn(gateway.dir);
    writeFileSync(join(gateway.dir, 'admin.whsec'), `whsec_${Buffer.from('a secret for the test, 32 bytes.').toString('base64')}`);
    appendFileSync(join(gateway.dir, 'quench.yaml'), ledgerConfig(sink.port, script));
    writeFileSync(join(gateway.dir, 'playbooks', 'fix.yaml'), ledgerPlaybook(script));
    let load: Load | null = null;
    try {
      await gateway.start();
      const running = startLoad(gateway, random);
      load = running;
      sink.onCalled = (host) => void (random() < 0.5 && running.clear(host));
      const killedAt: number[] = [];
      for (let kill = 0; kill < kills; kill += 1) {
        sink.down = random() < 1 / 3;
        await sleep(100 + random() * 1_400);
        await gateway.kill();
        killedAt.push(Date.now());
        await gateway.start();
      }
      sink.down = false;
      await load.stop();
      await settled(gateway, delivered);
      await gateway.stop();
      const counts = check(
        gateway,
        load.accepted,
        { sink, killedAt },
        acts().map(({ key }) => key),
      );
      context.diagnostic(`seed ${seed}: ${JSON.stringify({ kills, ...counts })}`);
    } finally {
      await load?.stop();
      await gateway.kill();
      sink.close();
      if (keep) process.stderr.write(`the gateway lived in ${gateway.dir}\n`);
      else gateway.remove();
    }
  },
);

/** No run is under way and every page has reached somebody; at most two minutes. */
async function settled(gateway: RealGateway, delivered: ReadonlyMap<string, number>): Promise<void> {
  for (let round = 0; round < 240; round += 1) {
    await sleep(500);
    const working = (await gateway.api('/api/v1/runs?state=working&limit=1')) as { readonly items: readonly unknown[] };
    const metrics = await fetch(`${gateway.url}/metrics`).then((answer) => answer.text());
    const lag = Number(/^quench_inputs_lag (\d+)/m.exec(metrics)?.[1] ?? 1);
    if (working.items.length > 0 || lag > 0 || round <= 20) continue;
    const reached = reachedBy(delivered);
    const ended = new Set([...delivered.keys()].filter((id) => id.split('|')[2] === 'end').map((id) => id.split('|')[1]));
    if ((await pagesOf(gateway)).every(({ id, state }) => reached.has(id) && (state !== 'closed' || ended.has(id)))) return;
  }
  throw new Error('runs are still at work, or pages on their way, two minutes after the load ended');
}

/** Pages of which somebody was told. */
function reachedBy(delivered: ReadonlyMap<string, number>): ReadonlySet<string> {
  return new Set([...delivered.keys()].map((id) => id.split('|')[1] ?? ''));
}

interface PageShown {
  readonly id: string;
  readonly state: string;
}

async function pagesOf(gateway: RealGateway): Promise<readonly PageShown[]> {
  const pages: PageShown[] = [];
  for (let after: string | null = ''; after !== null;) {
    const path: string = `/api/v1/pages?limit=200${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`;
    const { items, next } = (await gateway.api(path)) as {
      readonly items: readonly PageShown[];
      readonly next: string | null;
    };
    pages.push(...items);
    after = next;
  }
  return pages;
}

function check(
  gateway: RealGateway,
  accepted: ReadonlySet<string>,
  { sink, killedAt }: { readonly sink: Sink; readonly killedAt: readonly number[] },
  acts: readonly string[],
): object {
  const { delivered } = sink;
  const path = join(gateway.dir, 'data', 'quench.db');
  const inputs = recordsIn(path, 0);
  const facts = recordsIn(path, 1).map(({ value }) => value as Fact);

  const uids = new Set<string>();
  const decisions = new Map<number, number>();
  for (const fact of facts) if (fact.type === 'AlertDecided') decisions.set(fact.offset, (decisions.get(fact.offset) ?? 0) + 1);
  for (const { offset, value } of inputs) {
    if (value.type !== 'AlertSeen') continue;
    uids.add(value.event.annotations['uid'] ?? '');
    assert.equal(decisions.get(offset), 1, `1: the alert at offset ${offset} was decided once`);
  }
  assert.deepEqual(
    [...accepted].filter((uid) => !uids.has(uid)),
    [],
    '1: everything accepted is on the log',
  );

  const numbers = facts.filter((fact) => fact.scope === 'default').map((fact) => fact.seq);
  assert.deepEqual(
    numbers,
    numbers.map((_, place) => place + 1),
    'facts are numbered without gap or repeat',
  );

  const granted = new Set(facts.flatMap((fact) => (fact.type === 'StepGranted' && fact.key !== undefined ? [fact.key] : [])));
  assert.equal(new Set(acts).size, acts.length, '2: no call was acted on twice');
  assert.deepEqual(
    acts.filter((key) => !granted.has(key)),
    [],
    '2: nothing was acted on without a grant',
  );

  const ended = new Map(facts.flatMap((fact) => (fact.type === 'RunFinished' ? [[fact.run, fact.end] as const] : [])));
  const started = facts.flatMap((fact) => (fact.type === 'RunStarted' ? [fact.run] : []));
  assert.deepEqual(
    started.filter((run) => !ended.has(run)),
    [],
    '3: every run ended',
  );

  const pages = facts.filter((fact) => fact.type === 'PageOpened');
  const reached = reachedBy(delivered);
  assert.deepEqual(
    pages.map((page) => page.page).filter((page) => !reached.has(page)),
    [],
    '3: every page reached somebody',
  );
  assert.ok(pages.length > 0 && started.length > 0 && acts.length > 0, 'the load made runs, actions and pages');

  const words = followWords();
  for (const fact of facts) words.take(fact);
  const outstanding = pages.filter(({ page, at }) => {
    const reachedAt = reachedFirst(words, sink, page);
    return killedAt.some((kill) => at < kill && kill < reachedAt);
  });
  assert.ok(outstanding.length > 0 || kills < 10, '4: some pages were outstanding when the gateway was killed, and are reached (3)');
  const ends = words.pages.values().filter(({ states }) => states.at(-1)?.state === 'closed');
  const over = [...ends].length;
  assert.deepEqual(unended(words, sink.heard), [], '5: whoever was called for what is over heard of the end');
  assert.ok(over > 0, 'the load ended some of what had paged');
  assert.deepEqual(staleWords(words, sink.heard), [], '6: nothing stale left');

  const unknown = [...ended.values()].filter((end) => end === 'unknown').length;
  const repeats = [...delivered.values()].filter((times) => times > 1).length;
  return {
    accepted: accepted.size,
    onLog: uids.size,
    runs: started.length,
    acts: acts.length,
    unknown,
    pages: pages.length,
    outstanding: outstanding.length,
    over,
    notifiedTwice: repeats,
  };
}

/** When somebody was told of a page for the first time, by the receiver's clock. */
function reachedFirst({ granted }: ReturnType<typeof followWords>, { heard }: Sink, page: string): number {
  const ids = new Set(granted.flatMap(({ fact, pages }) => (pages.includes(page) ? [fact.notification.id] : [])));
  return heard.find(({ id }) => ids.has(id))?.at ?? Number.POSITIVE_INFINITY;
}
