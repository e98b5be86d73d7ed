// Raw pages at PagerDuty, or what plays it: the incident of an alert that nobody decided does not stay open once the gateway decides again.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startReceiver } from '../support/receiver.ts';
import { deliver, factsFind, folder, house, open, until, type Folder } from './house.ts';

interface Event {
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedup_key: string;
  readonly payload: { readonly summary: string; readonly custom_details: { readonly text: string } };
}

/** Keys that are open there, in the order of their triggers, and all it was told. */
async function pager(
  t: TestContext,
): Promise<{ readonly place: Folder; readonly events: () => readonly Event[]; readonly stillOpen: () => string[] }> {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  receiver.answer = (response) => void response.writeHead(202).end('{"status":"success"}');
  const text = house
    .replace('notifiers: {', `notifiers: { pd: { type: pagerduty, url: '${receiver.origin}', routingKey: { file: pd.key } },`)
    .replace('notify: console }\n', 'notify: [pd, console] }\n');
  const place = folder(t, { 'quench.yaml': text, 'pd.key': 'k'.repeat(32) });
  const events = (): readonly Event[] => receiver.heard.map(({ body }) => JSON.parse(body) as Event); // written by our notifier
  const stillOpen = (): string[] => {
    const keys = new Set<string>();
    for (const { event_action: action, dedup_key: key } of events()) {
      if (action === 'trigger') keys.add(key);
      if (action === 'resolve') keys.delete(key);
    }
    return [...keys];
  };
  return { place, events, stillOpen };
}

// Each waits for a page that is due in ten seconds: side by side.
describe('raw pages at a pager', { concurrency: true }, () => {
  it('O4: the incident of an alert that nobody decided is resolved when the gateway decides again', { timeout: 90_000 }, async (t) => {
    const { place, events, stillOpen } = await pager(t);
    let isFull = true;
    const { url, rang } = await open(
      t,
      place,
      factsFind(() => isFull),
    );
    assert.equal(await deliver(url, 'Down', 2), 200);
    await until('two raw pages', () => stillOpen().length === 2);
    assert.ok(stillOpen().every((key) => /^quench:(?:\w+:)?undecided:/.test(key)));
    const before = await (await fetch(`${url}/metrics`)).text();
    isFull = false;
    await until('their ends', () => stillOpen().length === 0);
    const end = events().at(-1);
    assert.match(end?.payload.summary ?? '', /^\[critical\] decided: .*Down/);
    assert.match(end?.payload.custom_details.text ?? '', /^Quench decides again: /);
    await until('the page of the ladder', () => /\[critical\](?!.*undecided| decided:).*Down/.test(rang()));
    assert.match(rang(), /\[critical\] decided: .*Down/);
    const rawPages = /^quench_raw_pages_total\{about="alert"\} 2$/m;
    assert.match(before, rawPages);
    assert.match(await (await fetch(`${url}/metrics`)).text(), rawPages, 'an end is no page');
  });

  it('O4: a restart in between does not leave the incident open that the next life pages again', { timeout: 90_000 }, async (t) => {
    const { place, events, stillOpen } = await pager(t);
    const first = await open(
      t,
      place,
      factsFind(() => true),
    );
    assert.equal(await deliver(first.url, 'Down'), 200);
    await until('the raw page', () => stillOpen().length === 1);
    await first.stop();
    const [key] = stillOpen();
    let isFull = true;
    await open(
      t,
      place,
      factsFind(() => isFull),
    );
    await until('the raw page of the next life', () => events().length === 2);
    assert.deepEqual(stillOpen(), [key]);
    isFull = false;
    await until('its end', () => stillOpen().length === 0);
  });

  it('the incident of a start on a broken configuration is resolved by the reload that mends it', { timeout: 60_000 }, async (t) => {
    const { place, events, stillOpen } = await pager(t);
    place.write('playbooks/b.yaml', 'name: [half');
    const { gateway } = await open(t, place);
    await until('the page', () => stillOpen().length === 1);
    assert.match(events()[0]?.payload.summary ?? '', /started with a broken configuration/);
    rmSync(join(place.dir, 'playbooks/b.yaml'));
    assert.match((await gateway.reload()).outcome, /^(?:reloaded|unchanged)$/);
    await until('its end', () => stillOpen().length === 0);
    assert.equal(events().at(-1)?.payload.summary, '[error] [quench] mended: the configuration that it started with was broken');
  });
});
