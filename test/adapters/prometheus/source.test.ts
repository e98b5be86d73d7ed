import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { prometheus, type PrometheusConfig, type PrometheusParsed } from '../../../adapters/prometheus/source.ts';
import { receivedAt, sourceContract } from '../../contracts/source.ts';

const setup = '../../../adapters/prometheus/setup/';

sourceContract('prometheus', prometheus({}));

function parsed(body: string, config: PrometheusConfig = {}): PrometheusParsed {
  const result = prometheus(config).parse({ headers: {}, path: '', body, receivedAt });
  assert.ok(result.ok);
  return result.value;
}

test('a numeric group key keeps the digits that a double would lose', () => {
  const body = '{"alerts":[{"labels":{"alertname":"A"},"status":"firing"}],"truncatedAlerts":2,"groupKey": 15195043892150421504}';

  const { hidden } = parsed(body);

  assert.deepEqual(hidden, { count: 2, group: '15195043892150421504' });
});

test('house words for severity and entity labels win over the defaults', () => {
  const body = '{"alerts":[{"labels":{"prio":"S1","vm":"Web-1:9100","instance":"other","job":"node"},"status":"firing"}]}';

  const [event] = parsed(body, { severityLabel: 'prio', severities: { s1: 'critical' }, entity: { host: ['vm'], service: [] } }).events;

  assert.equal(event?.severity, 'critical');
  assert.deepEqual(event?.entity, { host: 'web-1' });
});

test('the files to paste hold what keeps alerts from getting lost', () => {
  const read = (file: string): ReturnType<typeof parse> => parse(readFileSync(new URL(`${setup}${file}`, import.meta.url), 'utf8'));
  const webhook = read('alertmanager.yml').receivers[0].webhook_configs[0];
  const direct = read('prometheus.yml').alerting.alertmanagers[0];
  const rules = read('quench-rules.yml').groups[0].rules;

  assert.deepEqual([webhook.send_resolved, webhook.max_alerts, webhook.http_config.follow_redirects], [true, 0, false]);
  assert.equal(webhook.url, 'http://127.0.0.1:8686/webhooks/prometheus');
  assert.equal(`${direct.scheme}://${direct.static_configs[0].targets[0]}${direct.path_prefix}`, webhook.url);
  assert.equal(direct.follow_redirects, false);
  for (const http of [webhook.http_config, direct]) assert.equal(http.authorization.type, 'Bearer');
  for (const rule of rules) assert.ok(rule.alert && rule.expr && rule.labels.severity && rule.annotations.summary, rule.alert);
});

test('D1: the address of a program that speaks for others is no host', () => {
  const entity = (labels: Record<string, string>) =>
    parsed(JSON.stringify({ alerts: [{ status: 'firing', labels: { alertname: 'A', ...labels } }] })).events[0]?.entity;
  const ksm = { job: 'kube-state-metrics', instance: '10.1.2.3:8080', service: 'prom-kube-state-metrics' };

  assert.deepEqual(entity({ ...ksm, namespace: 'shop', deployment: 'api' }), { namespace: 'shop' });
  assert.deepEqual(
    entity({ ...ksm, namespace: 'monitoring', exported_namespace: 'bank', pod: 'kube-state-metrics-0', exported_pod: 'db-0' }),
    {
      namespace: 'bank',
      pod: 'db-0',
    },
  );
  assert.deepEqual(entity({ job: 'nightly', instance: 'pushgateway:9091' }), {});
  assert.deepEqual(entity({ job: 'yace', instance: '10.1.2.4:5000', dimension_DBInstanceIdentifier: 'db1' }), {});
  assert.deepEqual(entity({ job: 'apps', instance: '10.1.2.5:8080', pod: 'cart-1', namespace: 'shop' }), {
    pod: 'cart-1',
    namespace: 'shop',
  });

  const node = entity({ job: 'node-exporter', instance: '10.0.0.7:9100', pod: 'node-exporter-x', namespace: 'monitoring' });
  assert.deepEqual([node?.host, node?.ip], ['10.0.0.7', '10.0.0.7']);
  assert.equal(entity({ job: 'blackbox', instance: 'https://shop.example.net/health' })?.host, 'shop.example.net');
  assert.deepEqual(entity({ job: 'aws', service: 'gcp-billing', instance: 'aws-web-1:8080' }), {
    host: 'aws-web-1',
    service: 'gcp-billing',
  });
  assert.equal(entity({ job: 'apps', instance: 'web-1:8080' })?.host, 'web-1');
});

test('D1: an exporter that asks others is no host, what it asked is; one that tells of its own machine stays one', () => {
  const entity = (labels: Record<string, string>) =>
    parsed(JSON.stringify({ alerts: [{ status: 'firing', labels: { alertname: 'A', ...labels } }] })).events[0]?.entity;

  for (const [labels, host] of [
    [{ job: 'blackbox', instance: 'blackbox:9115', target: 'https://shop.example.net/health' }, 'shop.example.net'],
    [{ job: 'probes', instance: 'blackbox-exporter:9115', target: 'https://bank.example.net' }, 'bank.example.net'],
    [{ job: 'snmp', instance: 'snmp-exporter:9116', target: '192.0.2.7' }, '192.0.2.7'],
    [{ job: 'postgres', instance: 'pg-exporter.mon.svc:9187', server: 'db1:5432' }, 'db1'],
    [{ job: 'mysql', instance: '10.1.2.3:9104', __param_target: 'db2.example.net:3306' }, 'db2.example.net'],
    [{ job: 'blackbox', instance: 'blackbox:9115', target: 'checkout' }, undefined],
    [{ job: 'postgres', instance: 'db3:9187', server: 'localhost:5432' }, 'db3'],
    [{ job: 'postgres', instance: 'db3:9187', server: 'db3:5432' }, 'db3'],
    [{ job: 'node', instance: 'node-exporter:9100', target: 'web9' }, 'node-exporter'],
    [{ job: 'nginx', instance: 'web-1:8080', server: 'shop.example.net' }, 'web-1'],
  ] as const) {
    assert.equal(entity(labels)?.host, host, JSON.stringify(labels));
  }
  const named = {
    job: 'blackbox',
    instance: 'blackbox:9115',
    service: 'blackbox-exporter',
    pod: 'blackbox-exporter-7d',
    target: 'web7:80',
  };
  assert.deepEqual(entity(named), { host: 'web7' });
});

test('A19: every alert has a name and a severity that a person recognises, whatever its rule left out', () => {
  const told = (labels: Record<string, string>, annotations: Record<string, string> = {}, rest: object = {}) =>
    parsed(JSON.stringify({ ...rest, alerts: [{ status: 'firing', labels, annotations }] })).events[0];

  for (const [event, name] of [
    [told({ instance: 'web1' }, {}, { groupLabels: { alertname: 'DiskFull' } }), 'DiskFull'],
    [told({ instance: 'web1' }, {}, { commonLabels: { alertname: 'DiskFull' } }), 'DiskFull'],
    [told({ service: 'disk', instance: 'ic1' }), 'alert with service disk'],
    [told({ job: 'node' }, { summary: 'the disk of the archive is full' }), 'the disk of the archive is full'],
  ] as const) {
    assert.equal(event?.name, name);
    assert.equal(event?.severity, 'warning');
    assert.equal(event?.source, 'prometheus');
    assert.notEqual(event?.summary.trim(), '');
  }
});
