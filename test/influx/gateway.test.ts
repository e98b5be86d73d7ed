// A gateway whose time series are in InfluxDB, which is cut off in the middle: alerts are taken, decided and paged all the while, and afterwards every
// point is there once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deliver, folder, house, open, ready, until } from '../gateway/house.ts';
import { gateTo, influxPresence, startInflux, type Influx } from './server.ts';

const presence = influxPresence();

describe('a gateway with its series in InfluxDB', { skip: presence.skip, timeout: 180_000 }, () => {
  let server: Influx;
  before(async () => {
    presence.demand();
    server = await startInflux();
  });
  after(() => server.stop());

  const sums = async (field: string): Promise<string> =>
    server.ask(`SELECT sum("${field}") FROM "quench"."points"."alert" GROUP BY "rule"`);
  const fired = async (): Promise<readonly (readonly [rule: string, times: number])[]> => {
    const { results } = JSON.parse(await sums('fired')) as {
      results: readonly { series?: readonly { tags: { rule: string }; values: readonly (readonly [string, number])[] }[] }[];
    };
    return (results[0]?.series ?? []).map(({ tags, values }) => [tags.rule, values[0]?.[1] ?? 0]);
  };
  const behind = async (url: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^quench_projector_lag\{projector="series"\} (\d+)$/m.exec(text)?.[1]);
  };

  test('cut off in the middle, and killed with it: nobody feels it, nothing is lost, nothing is there twice', async (t) => {
    const gate = await gateTo(server.url);
    const place = folder(t, { 'quench.yaml': `${house}delivery: { bundle: 0s }\nseries: { influx: { url: ${gate.url} } }\n` });
    const first = await open(t, place);
    assert.equal(await deliver(first.url, 'Early', 30), 200);
    await until('the first are there', async () => (await fired()).some(([, times]) => times === 30));

    await gate.close();
    assert.equal(await deliver(first.url, 'Meanwhile', 40), 200);
    await until('it rings all the same', () => /Meanwhile/.test(first.rang()));
    await until('it is said', () => /the time series do not answer: the gateway goes on/.test(first.said()));
    assert.equal((await ready(first.url)).status, 200);
    assert.ok((await behind(first.url)) > 0);
    await first.stop();

    // The next life begins while the server is still away.
    const second = await open(t, place);
    assert.equal(await deliver(second.url, 'Late', 50), 200);
    await until('it rings', () => /Late/.test(second.rang()));
    await gate.open();
    await until('all is written', async () => (await behind(second.url)) === 0, 60_000);
    assert.deepEqual(await fired(), [
      ['Early', 30],
      ['Late', 50],
      ['Meanwhile', 40],
    ]);
    assert.match(second.said(), /the time series answer again/);
    await second.stop();
    await gate.close();
  });
});
