// Prometheus on Quench itself: the rules that are handed out are tried by the real promtool, and every panel of the dashboard asks a real
// Prometheus that scrapes a real gateway.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { createGateway, ingestToken, type Gateway } from './gateway.ts';
import { folder, freePort, presenceOf, ready, root, startDaemon, until, type Daemon } from './support.ts';

const tool = presenceOf({ prometheus: 'prometheus', promtool: 'prometheus' });
const setup = join(root, 'adapters/prometheus/setup');
const rulesName = 'quench-self-rules.yml';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

describe('Prometheus on Quench itself', { skip: tool.skip }, () => {
  const dir = folder();
  const panels = (JSON.parse(readFileSync(join(setup, 'grafana-quench.json'), 'utf8')) as { readonly panels: readonly Panel[] }).panels;
  let gateway: Gateway;
  let prometheus: Daemon;
  let origin = '';

  /** How many series the query finds; with what Grafana puts in place of its variables. */
  async function seriesOf(expr: string): Promise<number> {
    const query = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5s');
    const answer = await fetch(`${origin}/api/v1/query?query=${encodeURIComponent(query)}`);
    const body = (await answer.json()) as {
      readonly status: string;
      readonly error?: string;
      readonly data: { readonly result: unknown[] };
    }; // its documented shape
    assert.equal(body.status, 'success', `${query}: ${body.error}`);
    return body.data.result.length;
  }

  before(async () => {
    tool.demand();
    gateway = await createGateway(join(dir, 'gateway'));
    await gateway.start();
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    const scrape = { job_name: 'quench', scrape_interval: '1s', static_configs: [{ targets: [`127.0.0.1:${gateway.port}`] }] };
    copyFileSync(join(setup, rulesName), join(dir, rulesName));
    writeFileSync(join(dir, 'prometheus.yml'), stringify({ scrape_configs: [scrape], rule_files: [rulesName] }));
    mkdirSync(join(dir, 'tsdb'));
    const args = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/tsdb`, `--web.listen-address=127.0.0.1:${port}`];
    prometheus = startDaemon('prometheus', args, { log: join(dir, 'prometheus.log') });
    await ready(prometheus, `${origin}/-/ready`);
    const alert = [{ labels: { alertname: 'DiskFull', instance: 'db-1:9100', severity: 'critical' } }];
    for (const token of [ingestToken, 'wrong', ingestToken]) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      await fetch(`${gateway.url}/webhooks/prometheus`, { method: 'POST', headers, body: JSON.stringify(alert) });
    }
    await gateway.alert('it fires', 'db-1', ({ state }) => state === 'firing');
    await until('Prometheus has the accepted alerts twice', {
      withinMs: 30_000,
      look: async () => ((await seriesOf('count_over_time(quench_alerts_total[1m]) >= 2')) > 0 ? true : null),
      seen: async () => prometheus.log(),
    });
  });

  after(async () => {
    await prometheus?.stop();
    await gateway?.stop();
  });

  test('each rule fires on what it is for, and none on a gateway that is well', async () => {
    copyFileSync(join(root, 'test/senders/self-rules.yml'), join(dir, 'self-rules.yml'));
    const run = (...args: readonly string[]): Promise<{ readonly stdout: string }> => promisify(execFile)('promtool', args, { cwd: dir });
    assert.match((await run('check', 'rules', rulesName)).stdout, /SUCCESS: \d+ rules/);
    assert.match((await run('test', 'rules', 'self-rules.yml')).stdout, /SUCCESS/);
  });

  test('each rule is tried on what it is for', () => {
    const names = [...readFileSync(join(setup, rulesName), 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    const tried = readFileSync(join(root, 'test/senders/self-rules.yml'), 'utf8');
    for (const name of names) assert.ok(tried.includes(`alertname="${name}"`), name);
  });

  test('rules and panels ask for what a gateway tells', async () => {
    const told = await fetch(`${gateway.url}/metrics`).then((answer) => answer.text());
    const rules = readFileSync(join(setup, rulesName), 'utf8');
    const asked = [rules, ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))].join('\n');
    const names = new Set(
      [...asked.matchAll(/\b((?:quench|process|nodejs)_[a-z0-9_]+)\{/g)].map(([, name = '']) => name.replace(/_bucket$/, '')),
    );
    assert.ok(names.size > 25);
    // Told only by a gateway that shares a log.
    const shared = new Set(['quench_spool_records', 'quench_spool_oldest_seconds']);
    for (const name of names) if (!shared.has(name)) assert.ok(told.includes(`# TYPE ${name} `), name);
  });

  test('each panel of the dashboard is answered, and those about what happened show it', async () => {
    const empty: string[] = [];
    for (const { title, targets = [] } of panels) {
      let found = 0;
      for (const { expr } of targets) found += await seriesOf(expr);
      if (targets.length > 0 && found === 0) empty.push(title);
    }
    // Nothing of these has happened here: there is no playbook, and no source that is asked.
    assert.deepEqual(empty, ['Runs of playbooks by how they ended', 'Sources asked what is open']);
  });
});
