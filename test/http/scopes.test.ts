// A token that is bound to scopes, asked of every route there is: nothing of another scope is in any answer, by any id, filter or stream.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Input } from '../../src/core/records.ts';
import type { Listed, LogPageAnswer, SummaryAnswer } from '../../src/readmodel/answers.ts';
import { commandsOf, inOrder, operationsOf, requestsOf, type Operation, type Request } from './asking.ts';
import { openTwoTenants, scopeOf, tenants, type Token, type TwoTenants } from './two-tenants.ts';

let world: TwoTenants;
let operations: readonly Operation[];
/** Served for people of the API, and answered by a single request: the rest are deliveries, links and the stream. */
let asked: readonly Operation[];
before(async () => {
  world = await openTwoTenants();
  operations = await operationsOf(world);
  asked = operations.filter(({ path, role }) => role !== 'sender' && !path.endsWith('/{token}') && path !== '/api/v1/events');
});
after(() => world.stop());

const [first, second] = tenants;
/** What a foreign answer may hold of the first tenant: what the question itself named. */
const withoutEcho = (text: string, { names }: Request): string => names.reduce((left, name) => left.replaceAll(name, '…'), text);

const everything = (operation: Operation): readonly Request[] => requestsOf(operation, first, world.ids[first]);

describe('a token of another scope', () => {
  it('finds nothing of the first in any answer of any route, whatever it asks for', async () => {
    let questions = 0;
    for (const operation of asked) {
      for (const request of everything(operation)) {
        const { text } = await world.ask(operation.method, request.path, second, request.body);
        assert.doesNotMatch(withoutEcho(text, request), new RegExp(first, 'i'), `${operation.method} ${request.path}`);
        questions += 1;
      }
    }
    assert.ok(questions > 300, `${questions} questions`);
  });

  it('is told of each of its ids what it is told of one that never was', async () => {
    for (const operation of asked.filter(({ path, scope }) => scope === 'own' && path.includes('{id}'))) {
      for (const request of everything(operation)) {
        const [id = ''] = request.names;
        const never = id.replace(/^\w+/, (own) => `${own}0`);
        const path = request.path.replace(encodeURIComponent(id), encodeURIComponent(never));
        const [there, missing] = await Promise.all(
          [request.path, path].map((each) => world.ask(operation.method, each, second, request.body)),
        );
        assert.equal(there?.status, 404, `${operation.method} ${request.path}`);
        assert.equal(there?.text.replaceAll(id, '…'), missing?.text.replaceAll(never, '…'));
      }
    }
  });

  it('is refused what is about the whole gateway', async () => {
    const whole = asked.filter(({ scope }) => scope === 'all');
    for (const path of ['/api/v1/freeze', '/api/v1/thaw', '/api/v1/log', '/metrics']) assert.ok(whole.some((each) => each.path === path));
    for (const operation of whole) {
      for (const request of everything(operation)) {
        const { status } = await world.ask(operation.method, request.path, second, request.body);
        assert.equal(status, 403, `${operation.method} ${request.path}`);
      }
    }
    assert.equal((await world.json<SummaryAnswer>('/api/v1/summary')).frozen, null);
  });

  it('has changed nothing: no input of the log is by it, but for what it did in its own scopes', async () => {
    for (const { scope, value } of await inputs()) if ('by' in value && value.by === second) assert.equal(scope, scopeOf(second));
  });

  it('cannot make, look ahead at or replace a silence of the first', async () => {
    const matchers = [{ name: 'team', op: '=', value: 'x' }];
    const wanted = { matchers, endsAt: Date.now() + 60_000, comment: 'mine' };
    const [id] = world.ids[first].silences;
    for (const body of [
      { ...wanted, scope: scopeOf(first) },
      { ...wanted, id },
    ]) {
      assert.equal((await world.ask('POST', '/api/v1/silences', second, body)).status, 404);
    }
    assert.equal((await world.ask('POST', '/api/v1/silences/preview', second, { matchers, scope: scopeOf(first) })).status, 404);
    // The gateway's own default scope is not one of its two: it must say which.
    assert.equal((await world.ask('POST', '/api/v1/silences', second, wanted)).status, 400);
  });

  it('hears nothing of the first on the event stream, now or when it resumes, and hears of itself', async () => {
    if (operations.find(({ path }) => path === '/api/v1/events')?.scope === 'all') {
      assert.equal((await world.ask('GET', '/api/v1/events', second)).status, 403);
      return;
    }
    const [all, mine, theirs] = await Promise.all((['admin', first, second] as const).map((token) => listen(token, '')));
    assert.ok(all !== undefined && mine !== undefined && theirs !== undefined);
    const places = await Promise.all([mine, theirs].map((stream) => stream.firstId()));
    await world.fire(first, 'Stuck', 'streamed');
    await world.fire(second, 'Stuck', 'streamed');
    await Promise.all([
      all.until(`${first}-streamed`),
      all.until(`${second}-streamed`),
      mine.until(`${first}-streamed`),
      theirs.until(`${second}-streamed`),
    ]);
    const [mineAgain, theirsAgain] = await Promise.all([first, second].map((token, place) => listen(token, places[place] ?? '')));
    await Promise.all([mineAgain?.until(`${first}-streamed`), theirsAgain?.until(`${second}-streamed`)]);
    for (const stream of [theirs, theirsAgain]) assert.doesNotMatch(stream?.text() ?? '', new RegExp(first));
    for (const stream of [mine, mineAgain]) assert.doesNotMatch(stream?.text() ?? '', new RegExp(second));
    for (const stream of [all, mine, theirs, mineAgain, theirsAgain]) stream?.stop();
  });
});

describe('the token of the first scope', () => {
  it('finds its own in every route that shows anything, so that the search above could have found it', async () => {
    const blind: string[] = [];
    for (const operation of asked.filter(({ method, scope }) => method === 'GET' && scope === 'own')) {
      const texts = await Promise.all(everything(operation).map(({ path }) => world.ask('GET', path, first)));
      if (!texts.some(({ status, text }) => status === 200 && text.includes(first))) blind.push(operation.path);
    }
    assert.deepEqual(blind, ['/api/v1/summary', '/api/v2/status', '/api/v2/receivers']); // which have counts only, and the version
  });

  it('counts its own, and each sees a part of what is seen without a bound', async () => {
    const [all, mine, theirs] = await Promise.all(
      (['admin', first, second] as const).map((token) => world.json<SummaryAnswer>('/api/v1/summary', token)),
    );
    assert.ok(all !== undefined && mine !== undefined && theirs !== undefined);
    for (const kind of ['alerts', 'incidents', 'runs', 'pages', 'silences', 'approvals'] as const) {
      for (const [state, count] of Object.entries<number>(all[kind])) {
        const of = (summary: SummaryAnswer): number => Object.entries<number>(summary[kind]).find(([word]) => word === state)?.[1] ?? 0;
        assert.equal(of(mine) + of(theirs), count, `${kind} ${state}`);
      }
    }
    assert.equal(mine.deadLetters + theirs.deadLetters, all.deadLetters);
    assert.ok(mine.deadLetters > 0 && mine.alerts.firing > 0);
  });

  it('may do to its own things what it may not do to others', async () => {
    for (const operation of inOrder(asked).filter(({ method, scope }) => method !== 'GET' && scope === 'own')) {
      const answers = [];
      for (const request of commandsOf(operation, first, world.ids[first]))
        answers.push(await world.ask(operation.method, request.path, first, request.body));
      assert.ok(
        answers.some(({ status }) => status < 300),
        `${operation.method} ${operation.path}: ${answers.map(({ status }) => status).join()}`,
      );
      assert.ok(
        answers.every(({ status }) => status < 300 || status === 409),
        `${operation.method} ${operation.path}`,
      );
    }
  });
});

describe('a token of a team within a tenant', () => {
  it('sees its alerts, but no delivery as it was received: that may hold alerts of other teams', async () => {
    const { items } = await world.json<Listed<{ readonly id: string }>>('/api/v1/alerts', 'team');
    assert.ok(items.length > 0);
    for (const { id } of items) assert.equal((await world.ask('GET', `/api/v1/alerts/${encodeURIComponent(id)}/raw`, 'team')).status, 404);
    assert.deepEqual((await world.json<Listed<object>>('/api/v1/deadletters', 'team')).items, []);
    for (const id of world.ids[first].deadletters) assert.equal((await world.ask('GET', `/api/v1/deadletters/${id}`, 'team')).status, 404);
    const lines = await inputs('team', true);
    assert.ok(lines.length > 0);
    assert.ok(lines.every((line) => line.raw === undefined && line.scope === scopeOf(first)));
    assert.ok((await inputs(first, true)).some(({ raw }) => raw !== undefined));
  });

  it('makes silences in its only scope without naming it', async () => {
    const body = { matchers: [{ name: 'host', op: '=', value: 'x' }], endsAt: Date.now() + 60_000, comment: 'ours' };
    assert.equal((await world.ask('POST', '/api/v1/silences', 'team', body)).status, 202);
    const made = (await inputs()).filter(({ value }) => value.type === 'SilenceSet' && value.silence.comment === 'ours');
    assert.deepEqual(
      made.map(({ scope }) => scope),
      [scopeOf(first)],
    );
  });
});

type InputLine = Omit<LogPageAnswer['records'][number], 'value'> & { readonly value: Input };

async function inputs(token: Token = 'admin', raw = false): Promise<readonly InputLine[]> {
  const lines: InputLine[] = [];
  for (let partition = 0; partition < 8; partition += 1) {
    const path = `/api/v1/log/inputs/${partition}?limit=1000${raw ? '&raw=true' : ''}`;
    const answer = await world.ask('GET', path, token);
    if (answer.status === 404) break;
    const { records } = JSON.parse(answer.text) as { readonly records: readonly InputLine[] }; // The inputs of the log.
    lines.push(...records);
  }
  return lines;
}

interface Listening {
  text(): string;
  /** The id of the first event: where the stream began. */
  firstId(): Promise<string>;
  until(word: string): Promise<void>;
  stop(): void;
}

/** The event stream, behind the id if there is one. */
async function listen(token: Token, lastId: string): Promise<Listening> {
  const over = new AbortController();
  const response = await fetch(`${world.url}/api/v1/events`, {
    headers: { authorization: `Bearer token-of-${token}`, ...(lastId === '' ? {} : { 'last-event-id': lastId }) },
    signal: over.signal,
  });
  assert.equal(response.status, 200);
  let heard = '';
  const read = async (): Promise<void> => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) heard += chunk;
  };
  void read().catch(() => {}); // ends by stop
  const idIn = (): string => /^id: (\S+)$/m.exec(heard)?.[1] ?? '';
  const heardWithin10s = async (holds: () => boolean, what: string): Promise<void> => {
    const late = AbortSignal.timeout(10_000);
    while (!holds()) {
      assert.ok(!late.aborted, `${token} did not hear ${what} within 10 s: ${heard.slice(-1_000)}`);
      await sleep(50);
    }
  };
  return {
    text: () => heard,
    stop: () => over.abort(),
    until: (word) => heardWithin10s(() => heard.includes(word), word),
    async firstId() {
      await heardWithin10s(() => idIn() !== '', 'an id');
      return idIn();
    },
  };
}
