// The real amtool against the real gateway: what its users type works as it does against Alertmanager. And the calls of a dashboard and of a
// data source, as they make them: what they read is there, in the shape that they read.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { adminToken, createGateway, ingestToken, type Doc, type Gateway } from './gateway.ts';
import { createAmtool } from './prometheus.ts';
import { folder, presenceOf, until } from './support.ts';

const tool = presenceOf({ amtool: 'prometheus-alertmanager' });
const isFiring = ({ state }: Doc): boolean => state === 'firing';

interface Silence {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly comment: string;
  readonly createdBy: string;
  readonly endsAt: string;
  readonly matchers: readonly object[];
}

describe('A12: amtool', { skip: tool.skip }, () => {
  const dir = folder();
  let gateway: Gateway;
  let amtool: (...args: readonly string[]) => Promise<string>;

  before(async () => {
    tool.demand();
    gateway = await createGateway(dir);
    await gateway.start();
    const run = createAmtool(dir, gateway.url);
    amtool = (...args) => run(args[0] === 'alert' && args[1] === 'add' ? ingestToken : adminToken, args);
    await amtool('alert', 'add', 'alertname=ByHand', 'host=hand-1', 'severity=error', '--annotation=summary=smoke');
    await amtool('alert', 'add', 'alertname=ByHand', 'host=hand-2', 'severity=error', '--annotation=summary=smoke');
    for (const host of ['hand-1', 'hand-2']) await gateway.alert('it fires', host, isFiring);
  });

  after(() => gateway.stop());

  /** The hosts that a question to `alert query` finds. */
  async function hosts(...args: readonly string[]): Promise<readonly string[]> {
    const found: readonly { readonly labels: { readonly host: string } }[] = JSON.parse(
      await amtool('alert', 'query', '--output=json', ...args),
    );
    return found.map(({ labels }) => labels.host).sort();
  }
  const silences = async (...args: readonly string[]): Promise<readonly Silence[]> =>
    JSON.parse(await amtool('silence', 'query', '--output=json', ...args));
  const isMuted = (host: string, muted: boolean): Promise<unknown> =>
    gateway.alert(muted ? 'it is muted' : 'it is not muted', host, (alert) => (alert['muted'] !== null) === muted);
  const add = async (...args: readonly string[]): Promise<string> =>
    (await amtool('silence', 'add', '--author=ann', '--comment=works', '--duration=1h', ...args)).trim();

  test('silence add mutes, query shows it at once, expire ends it; alert query tells both', async () => {
    const id = await add('alertname=ByHand', 'host=hand-1');
    assert.deepEqual(
      (await silences()).map((each) => [each.id, each.status.state, each.comment, each.createdBy]),
      [[id, 'active', 'works', 'ann via admin']],
    );
    await isMuted('hand-1', true);
    assert.deepEqual(await hosts(), ['hand-2'], 'only what is active, unless asked for');
    assert.deepEqual(await hosts('--silenced'), ['hand-1']);
    assert.deepEqual(await hosts('--active', '--silenced', 'host=~hand-.'), ['hand-1', 'hand-2']);

    await amtool('silence', 'expire', id);
    assert.deepEqual(await silences(), []);
    assert.deepEqual(
      (await silences('--expired')).map((each) => [each.id, each.status.state]),
      [[id, 'expired']],
    );
    await isMuted('hand-1', false);
    await assert.rejects(amtool('silence', 'expire', id), /expired already|409/);
    await assert.rejects(amtool('silence', 'expire', 'nothing'), /not ?found|404/i);
  });

  test('silence update changes it under its id; what is asked by operator is found by operator', async () => {
    const id = await add('alertname=ByHand', 'host!=hand-1');
    await isMuted('hand-2', true);
    const updated = await amtool('silence', 'update', '--output=json', '--duration=2h', '--comment=longer', id);
    assert.ok(updated.includes(id));
    const [known, ...others] = await silences('alertname=ByHand');
    assert.deepEqual([known?.id, known?.comment, known?.createdBy, others], [id, 'longer', 'ann via admin', []]);
    assert.ok(Date.parse(known?.endsAt ?? '') > Date.now() + 5_400_000);
    assert.deepEqual(await silences('host=hand-1'), [], 'it says that the host is another one');
    assert.deepEqual(await silences('alertname!=ByHand'), []);
    await amtool('silence', 'expire', id);
    await isMuted('hand-2', false);
  });

  test('import takes what query gave, and a silence that is there already is changed, not doubled', async () => {
    const id = await add('alertname=Later', 'host=~later-.+');
    const file = join(dir, 'silences.json');
    writeFileSync(
      file,
      await amtool('silence', 'query', '--output=json', '--id', id).catch(() => amtool('silence', 'query', '--output=json')),
    );
    await amtool('silence', 'import', file);
    assert.deepEqual(
      (await silences()).map((each) => each.id),
      [id],
    );
    const [known] = await silences();
    const foreign = { ...known, id: '2f2f6a0c-1111-4222-8333-444455556666', comment: 'from elsewhere' };
    writeFileSync(file, JSON.stringify([foreign]));
    await amtool('silence', 'import', file);
    assert.deepEqual((await silences()).map(({ comment }) => comment).sort(), ['from elsewhere', 'works']);
    await amtool('silence', 'expire', ...(await amtool('silence', 'query', '-q')).trim().split('\n'));
    assert.deepEqual(await silences(), []);
  });

  test('config show and cluster show say what is true; a routing tree can be drawn', async () => {
    assert.match(await amtool('config', 'show'), /receiver: quench/);
    assert.match(await amtool('cluster', 'show'), /disabled/);
    assert.match(await amtool('config', 'routes', 'show'), /quench/);
    assert.equal((await amtool('config', 'routes', 'test', 'severity=error')).trim(), 'quench');
  });

  test('what a dashboard and a data source call', async () => {
    const call = async (method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }> => {
      const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' };
      const answer = await fetch(`${gateway.url}/api/v2${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const startsAt = new Date().toISOString();
    const wanted = {
      matchers: [{ name: 'host', value: 'hand-1', isRegex: false, isEqual: true }],
      startsAt,
      endsAt: new Date(Date.now() + 600_000).toISOString(),
      createdBy: 'grafana',
      comment: 'by click',
    };
    const made = await call('POST', '/silences', wanted);
    const { silenceID } = made.body as { readonly silenceID: string };
    assert.deepEqual([made.status, typeof silenceID], [200, 'string']);
    const one = (await call('GET', `/silence/${silenceID}`)).body as Silence;
    assert.deepEqual([one.id, one.status.state, one.matchers], [silenceID, 'active', wanted.matchers]);
    await isMuted('hand-1', true);
    const groups = (await call('GET', '/alerts/groups?silenced=true&inhibited=true&active=true')).body as readonly {
      readonly labels: object;
      readonly receiver: object;
      readonly alerts: readonly {
        readonly labels: { readonly host: string };
        readonly status: { readonly silencedBy: readonly string[] };
      }[];
    }[];
    assert.deepEqual(
      groups.map(({ labels, receiver }) => [labels, receiver]),
      [[{ alertname: 'ByHand' }, { name: 'quench' }]],
    );
    const silencedBy = groups.flatMap(({ alerts }) => alerts.map(({ labels, status }) => [labels.host, ...status.silencedBy])).sort();
    assert.deepEqual(silencedBy, [['hand-1', silenceID], ['hand-2']]);
    assert.deepEqual((await call('GET', '/alerts?active=true&silenced=false&receiver=other')).body, []);
    assert.deepEqual((await call('GET', '/receivers')).body, [{ name: 'quench' }]);

    const moved = await call('POST', '/silences', {
      ...wanted,
      id: silenceID,
      matchers: [{ name: 'host', value: 'hand-2', isRegex: false }],
    });
    const next = (moved.body as { readonly silenceID: string }).silenceID;
    assert.notEqual(next, silenceID, 'one that matches other alerts is another one');
    assert.equal(((await call('GET', `/silence/${silenceID}`)).body as Silence).status.state, 'expired');
    await isMuted('hand-1', false);
    assert.equal((await call('DELETE', `/silence/${next}`)).status, 200);
    const unknown = await call('POST', '/silences', { ...wanted, id: 'nothing' });
    assert.deepEqual(unknown, { status: 404, body: 'silence nothing not found' });
    const past = await call('POST', '/silences', { ...wanted, endsAt: '2020-01-01T00:00:00Z' });
    assert.deepEqual([past.status, typeof past.body], [400, 'string']);
    await until('nothing is muted', {
      withinMs: 5_000,
      look: async () => ((await hosts()).length === 2 ? true : null),
      seen: async () => JSON.stringify(await hosts()),
    });
  });
});
