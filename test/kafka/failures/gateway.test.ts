// What a whole gateway does when its brokers are away at the start, refuse its login, lose its topics, or hold records that no gateway wrote.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Kafka, SASLOptions } from 'kafkajs';
import { createClient } from '../../../adapters/kafka/client.ts';
import { createReads, type Message, type Reads } from '../../../adapters/kafka/fetching.ts';
import { systemClock } from '../../../src/gateway/clock.ts';
import { until } from '../../senders/support.ts';
import { kafkaPresence, startKafka, type KafkaCluster } from '../broker/kafka.ts';
import { openHouse, type House } from './house.ts';
import { Lines, newPrefix, outsider, patienceMs, withAdmin } from './support.ts';

const presence = kafkaPresence({ own: true });
const operator = { name: 'operator', password: 'operator-password' };
const login = { mechanism: 'plain', username: operator.name, password: operator.password } as const satisfies SASLOptions;
const users = ['first', 'second', 'third', 'fourth', 'fifth'].map((name) => ({ name, password: `${name}-password` }));
const strangerLine = 'record is not of our making and is passed over: nobody but the gateways may write here';

describe('a gateway', { skip: presence.skip }, () => {
  let cluster: KafkaCluster;
  let tools: Kafka;
  before(async () => {
    presence.demand();
    cluster = await startKafka({ brokers: 1, security: 'sasl', users: [operator, ...users] });
    tools = outsider(cluster, login);
  });
  after(() => cluster?.stop());

  async function housed(
    user: string,
    run: (house: House, prefix: string) => Promise<void>,
    change: { readonly password?: string; readonly roles?: readonly string[] } = {},
  ): Promise<void> {
    const { password = `${user}-password`, roles } = change;
    const topicPrefix = newPrefix();
    const house = await openHouse({
      brokers: cluster.bootstrap,
      topicPrefix,
      sasl: { username: user, password },
      ...(roles === undefined ? {} : { roles }),
    });
    try {
      await run(house, topicPrefix);
    } finally {
      await house.close();
    }
  }

  async function says(house: House, expected: string, look: () => boolean): Promise<void> {
    await until(expected, {
      withinMs: patienceMs,
      look: async () => (look() ? true : null),
      seen: async () => JSON.stringify(house.lines.all.slice(-20)),
    });
  }

  /** Waits until every alert that is on the inputs is in the saved desks. */
  async function saved(prefix: string): Promise<void> {
    const options = { brokers: cluster.bootstrap, topicPrefix: prefix, sasl: login };
    const reads = createReads(createClient(options, { clock: systemClock, logger: new Lines().logger, instance: 'test' }));
    const behind = async (): Promise<readonly string[]> => {
      const partitions = await Promise.all([0, 1].map((partition) => saveOf(reads, prefix, partition)));
      assert.ok(
        partitions.some(({ alerts }) => alerts > 0),
        'there are alerts',
      );
      return partitions.filter(({ alerts, mark }) => mark < alerts).map((one) => JSON.stringify(one));
    };
    try {
      await until('the desks are saved', {
        withinMs: patienceMs,
        look: async () => ((await behind()).length === 0 ? true : null),
        seen: async () => (await behind()).join(', '),
      });
    } finally {
      await reads.close();
    }
  }

  test('whose topics are deleted under it: makes them anew, decides what comes then, and still knows what it knew', async (t) => {
    await housed('first', async (house, prefix) => {
      assert.equal(await house.post('before'), 200);
      await house.shows('before', 'firing');
      await house.pages('before');
      await saved(prefix);

      const deletedAt = performance.now();
      await withAdmin(tools, (admin) => admin.deleteTopics({ topics: [`${prefix}inputs`, `${prefix}facts`] }));
      await says(house, 'the topics are made anew', () => house.lines.of('topics made').length === 2);
      t.diagnostic(`topics anew after ${Math.round(performance.now() - deletedAt)} ms`);

      assert.equal(await house.post('later'), 200);
      await house.shows('later', 'firing');
      await house.pages('later');
      t.diagnostic(`an alert decided and paged after ${Math.round(performance.now() - deletedAt)} ms`);
      assert.equal(await house.post('before', 'cleared'), 200);
      await house.shows('before', 'cleared');
      const [made] = house.lines.of('topics made').slice(1);
      assert.equal(made?.fields['topics'], `${prefix}inputs, ${prefix}facts`);
      assert.equal((await house.readyIs(200)).status, 200);
    });
  });

  test('with garbage in its topics: says so once for each partition, decides on, and starts again', async () => {
    await housed('second', async (house, prefix) => {
      assert.equal(await house.post('before'), 200);
      await house.shows('before', 'firing');
      await saved(prefix);

      const producer = tools.producer();
      await producer.connect();
      for (const partition of [0, 1]) {
        const messages = garbage().map(({ key, value }) => ({ key, value, partition }));
        for (const topic of ['inputs', 'facts']) await producer.send({ topic: `${prefix}${topic}`, messages });
        // A compacted topic takes no record without a key.
        await producer.send({ topic: `${prefix}desks`, messages: messages.filter(({ key }) => key !== null) });
      }
      await producer.send({ topic: `${prefix}deadletter`, messages: garbage() });
      await producer.disconnect();

      assert.equal(await house.post('later'), 200);
      await house.shows('later', 'firing');
      await house.pages('later');
      await house.restart();
      assert.equal(await house.post('last'), 200);
      await house.shows('last', 'firing');
      await house.pages('last');
      assert.equal(await house.post('before', 'cleared'), 200);
      await house.shows('before', 'cleared');

      const passing = new Set([strangerLine, 'not ready', 'log is away']);
      const trouble = house.lines.all.filter(({ text, level }) => level !== 'info' && !passing.has(text));
      assert.deepEqual(trouble, []);
      await says(house, 'every part that was away is back', () => stillAway(house.lines).length === 0);
      const told = house.lines
        .of(strangerLine)
        .map(({ fields }) => `${String(fields['topic']).replace(prefix, '')} ${String(fields['partition'])}`);
      const each = new Set(['inputs 0', 'inputs 1', 'facts 0', 'facts 1', 'desks 0', 'desks 1', 'deadletter 0']);
      assert.deepEqual(new Set(told), each);
      for (const where of each) assert.ok(told.filter((one) => one === where).length <= 2, `${where} is told once in each of two lives`);
      assert.equal((await house.readyIs(200)).status, 200);
    });
  });

  test('whose brokers are away at the start: starts, takes alerts, and decides them when the brokers come', async (t) => {
    await cluster.broker(1).kill();
    t.after(async () => {
      if (cluster.broker(1).pid === null) await cluster.broker(1).start(); // for those that come next
    });
    const began = performance.now();
    await housed('third', async (house) => {
      t.diagnostic(`the door is open after ${Math.round(performance.now() - began)} ms without brokers`);
      assert.equal(await house.post('early'), 200);
      const health = await house.ready();
      assert.match(health.text, /log is away since .* spooled/);
      assert.ok(house.lines.of('log is away').some(({ fields }) => /log\.brokers/.test(String(fields['advice']))));

      await cluster.broker(1).start();
      await house.shows('early', 'firing');
      await house.pages('early');
      await says(house, 'every part is back', () => house.lines.of('log is back').length === house.lines.of('log is away').length);
      house.lines.assertInTurns(2);
    });
  });

  test('whose login is taken away: says so, takes alerts meanwhile, and goes on by itself when it is given back', async (t) => {
    await housed('fourth', async (house) => {
      assert.equal(await house.post('before'), 200);
      await house.shows('before', 'firing');

      await cluster.setPassword('fourth', null);
      await cluster.broker(1).kill();
      await cluster.broker(1).start();
      const refused = (): boolean => house.lines.all.some(({ fields }) => /refuse our login.*log\.sasl/.test(String(fields['advice'])));
      await says(house, 'the refused login', refused);
      assert.equal(await house.post('meanwhile'), 200);

      await cluster.setPassword('fourth', 'fourth-password');
      const givenAt = performance.now();
      await house.shows('meanwhile', 'firing');
      await house.pages('meanwhile');
      t.diagnostic(`decided and paged ${Math.round(performance.now() - givenAt)} ms after the login was given back`);
      await house.readyIs(200);
      assert.ok(!JSON.stringify(house.lines.all).includes('fourth-password'), 'no password in the log');
    });
  });

  test('with a wrong password from the start: starts, is not ready and says why, and is ready once the password is right', async () => {
    const roles = ['host', 'effects', 'project'];
    await housed(
      'fifth',
      async (house) => {
        await house.readyIs(503);
        await says(house, 'why it is not ready', () =>
          house.lines.of('not ready').some(({ fields }) => fields['check'] === 'log' && /SASLAuthentication/.test(String(fields['wrong']))),
        );
        assert.ok(house.lines.of('log is away').some(({ fields }) => /refuse our login.*log\.sasl/.test(String(fields['advice']))));

        await cluster.setPassword('fifth', 'not-the-password-before');
        await house.readyIs(200);
      },
      { password: 'not-the-password-before', roles },
    );
  });
});

/** Parts of the log that were said to be away, and not to be back since. */
function stillAway({ all }: Lines): readonly unknown[] {
  const away = new Set<unknown>();
  for (const { text, fields } of all) {
    if (text === 'log is away') away.add(fields['part']);
    if (text === 'log is back') away.delete(fields['part']);
  }
  return [...away];
}

/** Where the alerts of the partition end, and up to where its inputs are in the saved desks. */
async function saveOf(reads: Reads, prefix: string, partition: number): Promise<{ readonly alerts: number; readonly mark: number }> {
  const last = (records: readonly Message[], fits: (record: Message) => boolean): Message | undefined => records.findLast(fits);
  const alert = last(await committed(reads, `${prefix}inputs`, partition), ({ value }) => value?.includes('"AlertSeen"') === true);
  const mark = last(await committed(reads, `${prefix}desks`, partition), ({ key }) => key?.toString() === 'mark');
  const { inputs } = JSON.parse(mark?.value?.toString() ?? '{"inputs":0}') as { readonly inputs: number }; // written by gateways
  return { alerts: (alert?.offset ?? -1) + 1, mark: inputs };
}

async function committed(reads: Reads, topic: string, partition: number): Promise<readonly Message[]> {
  const found: Message[] = [];
  const { first, end } = await reads.ends(topic, partition);
  for (let at = first; at < end;) {
    const { messages, next } = await reads.fetch({ topic, partition, offset: at }, { committed: true });
    found.push(...messages);
    if (next <= at) break; // a transaction is open there
    at = next;
  }
  return found;
}

/** No JSON, no object, no record, records of a wrong shape, one that claims to be the newest, and keys as ours are. */
function garbage(): { key: string | null; value: string | null }[] {
  const desk = JSON.stringify(['default', 'alerts', 'x']);
  const values = [
    'hello',
    'null',
    '[]',
    '{}',
    '{"type":"AlertSeen"}',
    '{"type":"Nonsense","scope":"default","at":1}',
    '{"type":"AlertSeen","scope":"default","at":1,"delivery":"","index":0,"event":{}}',
    '{"type":"PageOpened","scope":"default","at":1,"seq":999999}',
    '{"letter":{}}',
    null,
  ];
  return ['default', 'mark', desk, '', null].flatMap((key) => values.map((value) => ({ key, value })));
}
