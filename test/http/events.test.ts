import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryDisk } from '../../adapters/memory/disk.ts';
import { memoryStore } from '../../adapters/memory/store.ts';
import { sqliteLimits, sqliteStore } from '../../adapters/sqlite/store.ts';
import type { Store } from '../../src/ports/store.ts';
import { bytesOf, readOn } from '../../src/http/events/frames.ts';
import { idOf, placeAt } from '../../src/http/events/places.ts';
import type { ApiToken } from '../../src/access/tokens.ts';
import type { ScopeFilter } from '../../src/readmodel/query.ts';
import { wallClock } from '../support/wallclock.ts';
import { eventually, front, holders, noon, tokens, type Front, type FrontOptions } from './support.ts';

interface Stream {
  readonly res: IncomingMessage;
  /** Frames with data, in order. */
  readonly frames: { readonly id: string; readonly event: string; readonly data: string }[];
  lastId: string;
  comments: number;
  ended: boolean;
  until(says: string, holds: () => boolean): Promise<void>;
  cut(): void;
}

async function serving(t: TestContext, options: FrontOptions = {}): Promise<Front & { readonly port: number }> {
  const made = await front(options);
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  return { ...made, port };
}

function open(port: number, lastId?: string, token: string = tokens.read): Promise<Stream> {
  const headers = { authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
  return new Promise((resolve, reject) => {
    const req = get({ port, path: '/api/v1/events', headers, agent: false }, (res) => {
      if (res.statusCode !== 200) return reject(new Error(`status ${res.statusCode}`));
      let text = '';
      const waiting = new Set<() => void>();
      const stream: Stream = {
        res,
        frames: [],
        lastId: lastId ?? '',
        comments: 0,
        ended: false,
        cut: () => req.destroy(),
        until: (says, holds) =>
          new Promise((done, late) => {
            const look = (): void => {
              if (!holds()) return;
              stop();
              done();
            };
            // Not all that is waited for comes over the stream.
            const again = setInterval(look, 20);
            const timer = setTimeout(() => {
              stop();
              late(new Error(`waited for: ${says}`));
            }, 4_000);
            const stop = (): void => {
              clearInterval(again);
              clearTimeout(timer);
              waiting.delete(look);
            };
            waiting.add(look);
            look();
          }),
      };
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          take(stream, text.slice(0, end));
          text = text.slice(end + 2);
        }
        for (const look of waiting) look();
      });
      const ended = (): void => {
        stream.ended = true;
        for (const look of waiting) look();
      };
      res.on('close', ended).on('error', ended);
      resolve(stream);
    });
    req.on('error', reject);
  });
}

function take(stream: Stream, frame: string): void {
  if (frame === ':') stream.comments += 1;
  const fields = new Map(frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  stream.lastId = fields.get('id') ?? stream.lastId;
  const data = fields.get('data');
  if (data !== undefined) stream.frames.push({ id: fields.get('id') ?? '', event: fields.get('event') ?? '', data });
}

let count = 0;
async function decide(store: Store, partition: number, many = 1, type = 'IncidentNoted'): Promise<void> {
  const noted = { type, scope: `s${partition}`, at: noon, incident: 'i1', by: 'ann', text: 'line\nbreak' };
  const values = Array.from({ length: many }, () => ({ seq: (count += 1), ...noted }));
  await store.log.append('facts', { partition, scope: `s${partition}`, values });
}

const seqs = (stream: Stream): number[] =>
  stream.frames.filter(({ event }) => event !== 'gap').map(({ data }) => (JSON.parse(data) as { seq: number }).seq);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, place) => from + place);

test('lines arrive as events, in order, from the moment the stream is open', async (t) => {
  const { store, port } = await serving(t);
  await decide(store, 0);
  const before = count;
  const stream = await open(port);
  assert.equal(stream.res.headers['content-type'], 'text/event-stream');
  await decide(store, 1, 3);
  await stream.until('three facts', () => stream.frames.length === 3);
  assert.deepEqual(seqs(stream), range(before + 1, before + 4));
  assert.equal(stream.frames[0]?.event, 'line');
  assert.deepEqual(JSON.parse(stream.frames[0]?.data ?? '').text, 'ann: line\nbreak');
  assert.equal(stream.frames.at(-1)?.id, '0:1,1:3');
  stream.cut();
});

for (const kind of ['memory', 'sqlite'] as const) {
  test(`E1: a reader that is cut anywhere and comes back sees every fact once (${kind})`, async (t) => {
    const store = await storeOf(kind, t);
    const { port } = await serving(t, { store });
    const before = count;
    const seen: number[] = [];
    // Keeps the tail going, so that the other has something to catch up with.
    const steady = await open(port);
    let stream = await open(port);
    let writing = true;
    const writer = (async () => {
      for (let round = 0; round < 60; round++) {
        await decide(store, round % 2, 1 + (round % 7));
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
      writing = false;
    })();
    while (writing || seen.length < count - before) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      stream.cut();
      // What came after the last whole frame counts as not seen, like in a browser.
      seen.push(...seqs(stream));
      stream = await open(port, stream.lastId);
      await stream.until('a fact, or the end', () => stream.frames.length > 0 || (!writing && seen.length >= count - before));
    }
    await writer;
    await steady.until('all facts', () => steady.frames.length >= count - before);
    stream.cut();
    steady.cut();
    assert.deepEqual(
      seqs(steady).toSorted((a, b) => a - b),
      range(before + 1, count + 1),
    );
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      range(before + 1, count + 1),
    );
  });
}

async function storeOf(kind: 'memory' | 'sqlite', t: TestContext): Promise<Store> {
  if (kind === 'memory') return memoryStore({ disk: memoryDisk(), partitions: 2, clock: wallClock });
  const folder = await mkdtemp(join(tmpdir(), 'quench-events-'));
  const store = await sqliteStore({ path: join(folder, 'quench.db'), partitions: 2, limits: sqliteLimits });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

test('a reader far behind catches up in pieces and then keeps up, next to one that never left', async (t) => {
  const { store, port } = await serving(t);
  const live = await open(port);
  const start = live.lastId;
  const before = count;
  for (let round = 0; round < 13; round++) await decide(store, round % 2, 100);
  await live.until('1,300 facts', () => live.frames.length >= 1_300);
  const late = await open(port, start);
  for (let round = 0; round < 20; round++) {
    await decide(store, round % 2);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Promise.all([late, live].map((stream) => stream.until('all facts', () => stream.frames.length >= 1_320)));
  for (const stream of [late, live]) {
    assert.deepEqual(
      seqs(stream).toSorted((a, b) => a - b),
      range(before + 1, count + 1),
    );
    stream.cut();
  }
});

test('a fact that comes while the tail is being read is not forgotten', async (t) => {
  const { store, port } = await serving(t);
  const stream = await open(port);
  const { read } = store.log;
  let meanwhile: Promise<void> | null = null;
  t.mock.method(store.log, 'read', async (...args: Parameters<typeof read>) => {
    const records = await read(...args);
    if (args[1] === 1) await (meanwhile ??= decide(store, 0));
    return records;
  });
  await decide(store, 0);
  await stream.until('both facts', () => stream.frames.length === 2);
  stream.cut();
});

test('a reader that comes while the tail still reads for one that left loses nothing', async (t) => {
  const { store, port } = await serving(t);
  const first = await open(port);
  const { read } = store.log;
  const reading = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  t.mock.method(store.log, 'read', async (...args: Parameters<typeof read>) => {
    const records = await read(...args);
    reading.resolve();
    await held.promise;
    return records;
  });
  await decide(store, 0);
  await reading.promise;
  first.cut();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await decide(store, 0);
  const second = await open(port, '0:0,1:0');
  held.resolve();
  await second.until('both facts', () => second.frames.length === 2);
  second.cut();
});

test('facts that retention took are told as a gap, not passed over in silence', async (t) => {
  const { store, port } = await serving(t);
  await decide(store, 0, 5);
  await store.log.trim('facts', 0, 3);
  const before = count;
  const stream = await open(port, '0:1,1:0');
  await stream.until('two facts', () => seqs(stream).length === 2);
  assert.deepEqual(JSON.parse(stream.frames[0]?.data ?? ''), { partition: 0, from: 1, to: 3 });
  assert.equal(stream.frames[0]?.event, 'gap');
  assert.deepEqual(seqs(stream), [before - 1, before]);
  stream.cut();
});

test('housekeeping facts are left out and do not hold up the place', async (t) => {
  const { store, port } = await serving(t);
  const stream = await open(port);
  await decide(store, 0, 1, 'WakeRequested');
  await decide(store, 0);
  await stream.until('one fact', () => stream.frames.length > 0);
  assert.deepEqual(
    stream.frames.map(({ event, id }) => [event, id]),
    [['line', '0:2,1:0']],
  );
  stream.cut();
});

const joins = (scope: string): object => ({
  type: 'AlertJoined',
  scope,
  seq: (count += 1),
  at: noon,
  incident: `i1.${scope}`,
  fingerprint: 'f1',
  summary: 'down',
  source: 'nagios',
  evidence: { kind: 'first', shared: '', lagSeconds: 0 },
  keys: [],
  startedAt: noon,
  severity: 'error',
  members: 1,
  listed: true,
});

test('E1: a fact of several changes can be left and taken up between any two of them', async (t) => {
  const { store, port } = await serving(t);
  await store.log.append('facts', { partition: 0, scope: 'a', values: [joins('a'), joins('a')] });
  const whole = await open(port, '0:0,1:0');
  await whole.until('six events', () => whole.frames.length === 6);
  assert.deepEqual(
    whole.frames.map(({ id, event, data }) => [id, event, JSON.parse(data).kind ?? JSON.parse(data).type]),
    [
      ['0:0.1,1:0', 'document', 'alert'],
      ['0:0.2,1:0', 'document', 'incident'],
      ['0:1,1:0', 'line', 'AlertJoined'],
      ['0:1.1,1:0', 'document', 'alert'],
      ['0:1.2,1:0', 'document', 'incident'],
      ['0:2,1:0', 'line', 'AlertJoined'],
    ],
  );
  assert.deepEqual(JSON.parse(whole.frames[1]?.data ?? ''), {
    kind: 'incident',
    id: 'i1.a',
    scope: 'a',
    at: noon,
    set: { members: 1 },
    add: { sources: ['nagios'] },
  });
  for (const [place, { id }] of whole.frames.slice(0, -1).entries()) {
    const rest = await open(port, id);
    await rest.until('the rest', () => rest.frames.length === 5 - place);
    assert.deepEqual(rest.frames, whole.frames.slice(place + 1));
    rest.cut();
  }
  whole.cut();
});

test('E3: of other scopes a stream is given nothing but gaps, and its place goes on', async () => {
  const store = memoryStore({ disk: memoryDisk(), partitions: 1, clock: wallClock });
  await store.log.append('facts', { partition: 0, scope: 'a', values: [joins('a'), joins('b'), joins('a')] });
  const { frames, places } = await readOn(store.log, [placeAt(0)], null);

  const told = (scopes: ScopeFilter): number => bytesOf(frames)(scopes).toString().split('event: ').length - 1;
  assert.deepEqual([told('all'), told(['a']), told(['b']), told(['a', 'b']), told(['c']), told([])], [9, 6, 3, 9, 0, 0]);
  assert.doesNotMatch(bytesOf(frames)(['a']).toString(), /i1\.b/);
  const batch = bytesOf(frames);
  assert.equal(batch(['a']), batch(['a']), 'made once for all who see the same');
  assert.equal(idOf(places), '0:3');
  await store.log.trim('facts', 0, 1);
  assert.match(
    bytesOf((await readOn(store.log, [placeAt(0)], null)).frames)([]).toString(),
    /^event: gap\ndata: {"partition":0,"from":0,"to":1}\n\n$/,
  );
});

test('a place that is no place of ours is refused; one beyond the end waits at the end', async (t) => {
  const { store, port } = await serving(t);
  for (const bad of ['x', '0:1', '0:1,1:0,2:0x', '0:1,0:1', '0:-1,1:0', '9'.repeat(500)])
    await assert.rejects(open(port, bad), /status 400/, bad);
  const stream = await open(port, '0:99,1:99');
  assert.equal(stream.lastId, '0:0,1:0');
  await decide(store, 0);
  await stream.until('the fact', () => stream.frames.length === 1);
  stream.cut();
});

test('E2: a reader that does not read is cut off, others go on', async (t) => {
  const clock = { ...wallClock, after: (span: number, call: () => void) => wallClock.after(span === 20 ? 1 : span, call) };
  const { store, port } = await serving(t, { clock });
  const slow = await open(port);
  const start = slow.lastId;
  slow.res.pause();
  const quick = await open(port);
  const text = 'x'.repeat(20_000);
  const scope = 's0';
  for (let round = 0; round < 40; round++) {
    const values = Array.from({ length: 25 }, () => ({
      type: 'IncidentNoted',
      scope,
      seq: (count += 1),
      at: noon,
      incident: 'i1',
      by: 'ann',
      text,
    }));
    await store.log.append('facts', { partition: 0, scope, values });
  }
  await quick.until('a thousand facts', () => quick.frames.length === 1_000);
  slow.res.resume();
  await slow.until('the cut', () => slow.ended);
  assert.ok(slow.frames.length < 1_000);
  quick.cut();

  // Coming back, it is given what it takes, at its own pace.
  const again = await open(port, start);
  again.res.pause();
  await new Promise((resolve) => setTimeout(resolve, 400));
  again.res.resume();
  await again.until('all of them', () => again.frames.length === 1_000);
  again.cut();
});

test('open streams are bounded, and a closed one makes room', async (t) => {
  const { port } = await serving(t, { limits: { streamsMax: 2 } });
  const [first, second] = [await open(port), await open(port)];
  await assert.rejects(open(port), /status 503/);
  first.cut();
  const third = await eventually(
    () => open(port).catch(() => null),
    (stream) => stream !== null,
  );
  assert.ok(third !== null);
  for (const stream of [second, third]) stream.cut();
});

test('a quiet stream is kept alive by comments', async (t) => {
  const spans: number[] = [];
  const clock = {
    ...wallClock,
    now: () => noon,
    after(span: number, call: () => void) {
      spans.push(span);
      return wallClock.after(span === 1_000 ? 2 : span, call);
    },
  };
  const { port } = await serving(t, { clock });
  const stream = await open(port);
  await stream.until('two comments', () => stream.comments >= 2);
  const seconds = spans.filter((span) => span === 1_000).length;
  assert.ok(seconds >= 30 && seconds / stream.comments < 20, 'a sign of life each 15 s');
  stream.cut();
});

test('a log that cannot be read for a while delays the stream and loses nothing', async (t) => {
  const clock = { ...wallClock, after: (span: number, call: () => void) => wallClock.after(span === 1_000 ? 20 : span, call) };
  const { store, port } = await serving(t, { clock });
  const stream = await open(port);
  await decide(store, 0);
  await stream.until('a fact', () => stream.frames.length === 1);
  const { read } = store.log;
  let failures = 0;
  // The second partition fails when the first has been read.
  t.mock.method(store.log, 'read', (...args: Parameters<typeof read>) =>
    args[1] === 1 && (failures += 1) <= 2 ? Promise.reject(new Error('away')) : read(...args),
  );
  await decide(store, 0, 2);
  await stream.until('both facts more', () => stream.frames.length === 3);
  assert.ok(failures > 2);
  stream.cut();
});

for (const [what, changed] of [
  ['revoked', []],
  ['rotated', [{ name: 'rita', role: 'read', secret: 'another-token-of-rita', scopes: null }]],
  ['bound to a scope', [{ name: 'rita', role: 'read', secret: tokens.read, scopes: ['other'] }]],
  ['given another role', [{ name: 'rita', role: 'operate', secret: tokens.read, scopes: null }]],
] as const) {
  test(`E4: a stream ends when its token is ${what}, with nothing more told to it; one whose token stays goes on`, async (t) => {
    const silent = { ...wallClock, after: (span: number, call: () => void) => wallClock.after(span === 1_000 ? 600_000 : span, call) };
    const olga = holders.filter(({ name }) => name === 'olga');
    let inForce: readonly ApiToken[] = holders;
    const { store, port } = await serving(t, { clock: silent, tokens: () => inForce });
    const stream = await open(port);
    const other = await open(port, undefined, tokens.operate);
    await decide(store, 0);
    await stream.until('a fact', () => stream.frames.length === 1);
    // The same tokens read again, as a reload makes them, end nothing.
    inForce = structuredClone(holders);
    await decide(store, 0);
    await stream.until('a second fact', () => stream.frames.length === 2);
    inForce = [...olga, ...changed];
    await decide(store, 0);
    await stream.until('the end', () => stream.ended);
    await other.until('three facts', () => other.frames.length === 3);
    assert.equal(stream.frames.length, 2);
    assert.equal(other.ended, false);
    other.cut();
  });
}

test('E4: a stream to which nothing is told ends within a second, too', async (t) => {
  let inForce: readonly ApiToken[] = holders;
  const { port } = await serving(t, { tokens: () => inForce });
  const stream = await open(port);
  inForce = [];
  await stream.until('the end', () => stream.ended);
});
