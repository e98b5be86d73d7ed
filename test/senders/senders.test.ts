// Real senders against the real gateway: Prometheus, Alertmanager, amtool and Nagios as Debian has them, on the files that
// we tell operators to paste. Everything is seen through the gateway's API. Run alone: npm run test:senders.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openFront, type Front, type Passage } from './front.ts';
import { adminToken, createGateway, ingestToken, type Doc, type Gateway } from './gateway.ts';
import { instance, startNagios, type Nagios } from './nagios.ts';
import { createAmtool, directPath, startWatchers, webhookPath, type Watchers } from './prometheus.ts';
import { folder, presenceOf, until } from './support.ts';

const watching = presenceOf({
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  amtool: 'prometheus-alertmanager',
});
const checking = presenceOf({ nagios4: 'nagios4-core', curl: 'curl', openssl: 'openssl' });
const isFiring = ({ state }: Doc): boolean => state === 'firing';

async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops.toReversed()) await stop();
}

describe('prometheus and alertmanager', { skip: watching.skip }, () => {
  const hosts = ['web-1', 'disk-1', 'db-1', 'db-2', 'db-3', 'kill-1'];
  const stops: (() => Promise<void>)[] = [];
  let gateway: Gateway;
  let front: Front;
  let watchers: Watchers;

  before(async () => {
    watching.demand();
    const dir = folder();
    gateway = await createGateway(dir);
    stops.push(() => gateway.stop());
    await gateway.start();
    front = await openFront(gateway.port);
    stops.push(() => front.close());
    watchers = await startWatchers(dir, hosts, { front: front.address, tokenFile: join(dir, 'ingest.token') });
    stops.push(() => watchers.stop());
    front.closed.add(directPath);
  });

  after(() => stopAll(stops));

  const set = (host: string, is: 'up' | 'down' | number): unknown => watchers.exporter.hosts.set(host, is);
  const through = (path: string, host: string): readonly Passage[] =>
    front.passages.filter((passage) => passage.path === path && passage.body.includes(`"${host}:9100"`));

  test('an alert that Prometheus fires is one incident by way of Alertmanager, and its resolve resolves it', async () => {
    set('web-1', 'down');
    const fired = await gateway.alert('InstanceDown fires', 'web-1', isFiring);
    const labels = { alertname: 'InstanceDown', instance: 'web-1:9100', job: 'node', severity: 'critical' };
    assert.deepEqual([fired['name'], fired['severity'], fired['labels']], ['InstanceDown', 'critical', labels]);
    assert.deepEqual(fired['entity'], { host: 'web-1' });
    assert.equal(fired['summary'], 'node on web-1:9100 does not answer');
    assert.deepEqual((fired['links'] as readonly object[])[0], { text: 'Runbook', href: 'https://runbooks.example.net/instance-down' });
    assert.equal((await gateway.incidentIs('open', fired['incident']))['severity'], 'critical');

    set('web-1', 'up');
    const resolved = await gateway.incidentIs('resolved', fired['incident']);

    assert.equal(resolved['resolvedBy'], 'source');
    assert.deepEqual(
      resolved.alerts.map(({ id, state }) => [id, state]),
      [[fired.id, 'cleared']],
    );
    const passages = through(webhookPath, 'web-1');
    assert.ok(passages.every(({ status }) => status === 200));
    const claims = passages.map(({ body }) => (JSON.parse(body) as { readonly status: string }).status); // Alertmanager's own
    assert.deepEqual([claims[0], claims.at(-1)], ['firing', 'resolved'], 'a scrape that came late may fire it again between');
  });

  test('the same alert straight from Prometheus is the same alert: merged, not doubled', async () => {
    front.closed.delete(directPath);
    front.closed.add(webhookPath);
    set('disk-1', 1e9);
    const direct = await gateway.alert('DiskWillFill fires, by the direct way', 'disk-1', isFiring);
    assert.deepEqual([direct['name'], direct['severity']], ['DiskWillFill', 'warning']);
    assert.ok(through(webhookPath, 'disk-1').every(({ status }) => status === 503));

    front.closed.delete(webhookPath);
    await until('Alertmanager delivers it too', {
      withinMs: 20_000,
      look: async () => through(webhookPath, 'disk-1').find(({ status }) => status === 200) ?? null,
      seen: async () => JSON.stringify(through(webhookPath, 'disk-1')),
    });
    front.closed.add(directPath);
    set('disk-1', 1e15);
    const resolved = await gateway.incidentIs('resolved', direct['incident']);

    assert.deepEqual(
      resolved.alerts.map(({ id, episode }) => [id, episode]),
      [[direct.id, direct['episode']]],
    );
    assert.equal((await gateway.alertsOf('disk-1')).length, 1);
    assert.ok(Number(resolved.alerts[0]?.['count']) >= 3, 'once direct, once by Alertmanager, once cleared');
  });

  test('what a 503 turned away comes later, and nothing of it is lost', async () => {
    const rounds = 'alertmanager_notifications_failed_total{integration="webhook"}';
    const tries = 'alertmanager_notification_requests_failed_total{integration="webhook"}';
    const [roundsBefore, triesBefore] = [await watchers.counted(rounds), await watchers.counted(tries)];
    const refusedBefore = front.passages.filter(({ path, status }) => path === webhookPath && status === 503).length;
    const hostsDown = ['db-1', 'db-2', 'db-3'];
    front.closed.add(webhookPath);
    for (const host of hostsDown) set(host, 'down');
    await until('Alertmanager gives up a whole round for each alert', {
      withinMs: 30_000,
      look: async () => ((await watchers.counted(rounds)) >= roundsBefore + hostsDown.length ? true : null),
      seen: async () => JSON.stringify(front.passages.slice(-20)),
    });
    for (const host of hostsDown) assert.deepEqual(await gateway.alertsOf(host), []);

    front.closed.delete(webhookPath);
    const fired = await Promise.all(hostsDown.map((host) => gateway.alert('InstanceDown fires', host, isFiring)));

    const refused = front.passages.filter(({ path, status }) => path === webhookPath && status === 503).length - refusedBefore;
    assert.ok(refused >= hostsDown.length * 3, `tried again within the round: ${refused} refusals`);
    assert.equal((await watchers.counted(tries)) - triesBefore, refused);
    for (const host of hostsDown) set(host, 'up');
    for (const alert of fired) await gateway.incidentIs('resolved', alert['incident']);
  });

  test('an incident survives the gateway being killed, and a resolve that came meanwhile still resolves it', async () => {
    set('kill-1', 'down');
    const fired = await gateway.alert('InstanceDown fires', 'kill-1', isFiring);
    await gateway.kill();
    set('kill-1', 'up');
    await until('Alertmanager fails to deliver the resolve', {
      withinMs: 20_000,
      look: async () => through(webhookPath, 'kill-1').find(({ status, body }) => status === 0 && body.includes('resolved')) ?? null,
      seen: async () => JSON.stringify(through(webhookPath, 'kill-1')),
    });

    await gateway.start();
    const resolved = await gateway.incidentIs('resolved', fired['incident'], 30_000);

    assert.deepEqual(
      resolved.alerts.map(({ id, state, startedAt }) => [id, state, startedAt]),
      [[fired.id, 'cleared', fired['startedAt']]],
    );
  });

  test('amtool adds an alert, lists it and ends it', async () => {
    const amtool = createAmtool(folder(), gateway.url);
    const hand = ['alertname=ByHand', 'host=hand-1', 'severity=error'];
    await amtool(ingestToken, ['alert', 'add', ...hand, '--annotation=summary=somebody saw smoke']);
    const fired = await gateway.alert('ByHand fires', 'hand-1', isFiring);
    assert.deepEqual([fired['severity'], fired['summary']], ['error', 'somebody saw smoke']);

    const listed = await amtool(adminToken, ['alert', 'query', '--output=json', 'alertname="ByHand"', 'host=~"hand-.+"']);
    assert.deepEqual(
      JSON.parse(listed).map(({ labels }: { labels: object }) => labels),
      [{ alertname: 'ByHand', host: 'hand-1', severity: 'error' }],
    );
    assert.equal(JSON.parse(await amtool(adminToken, ['alert', 'query', '--output=json', 'host="nobody"'])).length, 0);

    await amtool(ingestToken, ['alert', 'add', ...hand, `--end=${new Date().toISOString()}`]);
    await gateway.incidentIs('resolved', fired['incident']);
  });
});

describe('nagios', { skip: checking.skip }, () => {
  const stops: (() => Promise<void>)[] = [];
  let gateway: Gateway;
  let nagios: Nagios;

  before(async () => {
    checking.demand();
    const dir = folder();
    gateway = await createGateway(dir);
    stops.push(() => gateway.stop());
    await gateway.start();
    const hosts = ['story-1', 'quiet-1', 'planned-1', 'hostile-1', 'late-1'];
    nagios = await startNagios(dir, { hosts, hostsByEnvironment: ['hostile-2'], gatewayPort: gateway.port, token: ingestToken });
    stops.push(() => nagios.stop());
  });

  after(() => stopAll(stops));

  const isHard = (alert: Doc): boolean => isFiring(alert) && alert['soft'] === false;
  const mutedBy = (alert: Doc): unknown => (alert['muted'] as { says?: string } | undefined)?.says;
  const schedule = (host: string, seconds: number): void => {
    const from = Math.floor(Date.now() / 1_000);
    nagios.command(`SCHEDULE_SVC_DOWNTIME;${host};ping ${host};${from};${from + seconds};1;0;0;bob;works`);
  };

  test('SOFT is recorded and not paged, HARD pages, an acknowledgement acknowledges, the recovery resolves', async () => {
    nagios.set('story-1', 2, 'PING CRITICAL - no answer');
    const soft = await gateway.alert('SOFT', 'story-1', (alert) => isFiring(alert) && alert['soft'] === true);
    assert.deepEqual([soft['name'], soft['severity'], soft['decision'], soft['incident']], ['ping story-1', 'critical', 'hold', null]);
    assert.deepEqual(soft['labels'], { host: 'story-1', service: 'ping story-1', check: 'service', state: 'CRITICAL', instance });

    const hard = await gateway.alert('HARD', 'story-1', isHard);
    assert.equal(hard.id, soft.id);
    await until('a page rings', {
      withinMs: 10_000,
      look: async () => (await gateway.incident(hard['incident'])).pages.find(({ state }) => state === 'ringing') ?? null,
      seen: async () => (await gateway.timeline(hard['incident'])).join('\n'),
    });

    nagios.command('ACKNOWLEDGE_SVC_PROBLEM;story-1;ping story-1;2;1;0;ann;on it');
    const acked = await gateway.incidentIs('acknowledged', hard['incident']);
    assert.deepEqual(
      acked.pages.map(({ state }) => state),
      ['acked'],
    );
    assert.match((await gateway.timeline(acked.id)).join('\n'), /by ann: on it/);

    nagios.set('story-1', 0, 'PING OK');
    const resolved = await gateway.incidentIs('resolved', acked.id);
    assert.equal(resolved['resolvedBy'], 'source');
    assert.deepEqual(
      resolved.pages.map(({ state }) => state),
      ['closed'],
    );
  });

  test('a downtime mutes what fires and what begins to fire in it, and its end lifts that', async () => {
    nagios.set('quiet-1', 1, 'PING WARNING - slow');
    await gateway.alert('HARD', 'quiet-1', isHard);
    schedule('quiet-1', 8);
    schedule('planned-1', 30);
    nagios.set('planned-1', 2, 'PING CRITICAL - rebooting');
    const muted = await gateway.alert('muted by downtime', 'quiet-1', (alert) => mutedBy(alert) === 'downtime');
    const planned = await gateway.alert('HARD in downtime', 'planned-1', isHard);
    assert.equal(mutedBy(planned), 'downtime');

    const lifted = await gateway.alert('no longer muted', 'quiet-1', (alert) => isFiring(alert) && mutedBy(alert) === undefined);

    assert.equal(lifted.id, muted.id);
    assert.match((await gateway.timeline(muted['incident'])).join('\n'), /downtime began by bob: works[^]+downtime ended by bob: works/);
    const rested = await gateway.incident(planned['incident']);
    assert.deepEqual([rested['decision'], rested.pages], ['suppress', []]);
    nagios.set('planned-1', 0, 'PING OK');
    await gateway.incidentIs('resolved', planned['incident']);
  });

  test('a hostile output arrives byte for byte, and nothing in it runs', async () => {
    const canary = join(nagios.dir, 'canary');
    const touch = `$(touch ${canary}) \`touch ${canary}\` ' & touch ${canary} & ' " & touch ${canary} & "`;
    // Nagios itself may cut what a check prints after 8,191 bytes; a busy machine shows it.
    const output = `"quoted" \\" 'single' \${IFS} < > ~ %s \\n \\045 é ${touch} ${'x'.repeat(7_000)} "end\\`;
    assert.ok(Buffer.byteLength(output) < 8_191);
    for (const host of ['hostile-1', 'hostile-2']) nagios.set(host, 2, output);

    const byCommand = await gateway.alert('notified', 'hostile-1', (alert) => isHard(alert));
    const byEnvironment = await gateway.alert('notified', 'hostile-2', (alert) => isHard(alert));

    assert.equal(JSON.parse(await gateway.raw(byCommand))['output'], output.replaceAll("'", '')); // cleaned by Nagios: illegal_macro_output_chars
    assert.equal(JSON.parse(await gateway.raw(byEnvironment))['SERVICEOUTPUT'], output);
    assert.equal(existsSync(canary), false);
  });

  test('what Nagios says while the gateway is down arrives later, once each, and the problem before its recovery', async () => {
    await gateway.kill();
    nagios.set('late-1', 2, 'PING CRITICAL - gone');
    await until('two messages in the spool', {
      withinMs: 30_000,
      look: async () => (nagios.spooled('waiting').length >= 2 ? true : null),
      seen: async () => JSON.stringify([nagios.spooled('sending'), nagios.spooled('waiting')]),
    });

    await gateway.start();
    nagios.set('late-1', 0, 'PING OK');
    const cleared = await gateway.alert('cleared', 'late-1', ({ state }) => state === 'cleared', 30_000);
    await until('an empty spool', {
      withinMs: 20_000,
      look: async () => (nagios.spooled('waiting').length + nagios.spooled('sending').length === 0 ? true : null),
      seen: async () => JSON.stringify([nagios.spooled('sending'), nagios.spooled('waiting')]),
    });

    await gateway.incidentIs('resolved', cleared['incident']);
    const parts = 'the handlers of SOFT 1, SOFT 2, HARD and OK, the notifications of PROBLEM and RECOVERY';
    await gateway.alert(`six times, ${parts}`, 'late-1', ({ count }) => count === 6);
    assert.deepEqual(nagios.spooled('refused'), []);
  });
});
