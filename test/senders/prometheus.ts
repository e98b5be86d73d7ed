// Prometheus and Alertmanager, run on the files of adapters/prometheus/setup/, and the exporter that they watch.
// Both ways lead to the gateway: Prometheus → Alertmanager → webhook, and Prometheus → gateway.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { changedYaml } from './setup.ts';
import { freePort, ready, startDaemon, until } from './support.ts';

export const webhookPath = '/webhooks/prometheus';
export const directPath = '/webhooks/prometheus/api/v2/alerts';

/** One HTTP server that stands for many hosts: `up`, `down` (answers 500) or the bytes left on its disk. */
export interface Exporter {
  readonly hosts: Map<string, 'up' | 'down' | number>;
  close(): Promise<void>;
}

export interface Watchers {
  readonly exporter: Exporter;
  readonly alertmanagerUrl: string;
  /** Sum of the samples of Alertmanager's /metrics that begin with this. */
  counted(sample: string): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the three for `hosts`; our files are changed in addresses, token files and spans of time only. */
export async function startWatchers(dir: string, hosts: readonly string[], at: { front: string; tokenFile: string }): Promise<Watchers> {
  const [exporterPort, alertmanagerPort, prometheusPort] = [await freePort(), await freePort(), await freePort()];
  const exporter = await openExporter(exporterPort, hosts);
  mkdirSync(join(dir, 'prometheus'));
  mkdirSync(join(dir, 'alertmanager'));
  writeFileSync(join(dir, 'alertmanager.yml'), stringify(alertmanagerFile(at)));
  writeFileSync(join(dir, 'quench-rules.yml'), stringify(rulesFile()));
  writeFileSync(join(dir, 'prometheus.yml'), stringify(prometheusFile(at, { hosts, exporterPort, alertmanagerPort })));

  const alertmanager = startDaemon(
    'prometheus-alertmanager',
    [
      `--config.file=${dir}/alertmanager.yml`,
      `--storage.path=${dir}/alertmanager`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
    ],
    { log: join(dir, 'alertmanager.log') },
  );
  const prometheus = startDaemon(
    'prometheus',
    [
      `--config.file=${dir}/prometheus.yml`,
      `--storage.tsdb.path=${dir}/prometheus`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      '--rules.alert.resend-delay=2s',
    ],
    { log: join(dir, 'prometheus.log') },
  );
  const stop = async (): Promise<void> => {
    await Promise.all([prometheus.stop(), alertmanager.stop()]);
    await exporter.close();
  };
  const alertmanagerUrl = `http://127.0.0.1:${alertmanagerPort}`;
  try {
    await ready(alertmanager, `${alertmanagerUrl}/-/ready`);
    await ready(prometheus, `http://127.0.0.1:${prometheusPort}/-/ready`);
    await scraped(`http://127.0.0.1:${prometheusPort}`, hosts.length);
  } catch (error) {
    await stop();
    throw error;
  }
  async function counted(sample: string): Promise<number> {
    const lines = (await fetch(`${alertmanagerUrl}/metrics`).then((answer) => answer.text())).split('\n');
    return lines.filter((line) => line.startsWith(sample)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
  return { exporter, alertmanagerUrl, counted, stop };
}

/** Waits until every host was seen well once: what changes from then on is a change for the rules too. */
async function scraped(url: string, hosts: number): Promise<void> {
  const query = `${url}/api/v1/query?query=${encodeURIComponent('count(node_filesystem_avail_bytes)')}`;
  const answer = (): Promise<string> => fetch(query).then((response) => response.text());
  await until(`Prometheus has scraped ${hosts} hosts`, {
    withinMs: 20_000,
    look: async () => ((await answer()).includes(`"${hosts}"]`) ? true : null),
    seen: answer,
  });
}

function alertmanagerFile(at: { front: string; tokenFile: string }): object {
  return changedYaml('prometheus', 'alertmanager.yml', {
    'route.group_interval': '2s',
    'receivers.0.webhook_configs.0.url': `http://${at.front}${webhookPath}`,
    'receivers.0.webhook_configs.0.http_config.authorization.credentials_file': at.tokenFile,
  });
}

function rulesFile(): object {
  return changedYaml('prometheus', 'quench-rules.yml', {
    'groups.0.rules.0.for': '1s',
    'groups.0.rules.1.for': '1s',
    'groups.0.rules.1.keep_firing_for': '1s',
  });
}

/** Ours, merged into what an operator has already: scrapes, an Alertmanager, a replica label that ours takes off. */
function prometheusFile(
  at: { front: string; tokenFile: string },
  own: { hosts: readonly string[]; exporterPort: number; alertmanagerPort: number },
): object {
  const ours = changedYaml<{ alerting: { alertmanagers: object[] } }>('prometheus', 'prometheus.yml', {
    'alerting.alertmanagers.0.static_configs.0.targets.0': at.front,
    'alerting.alertmanagers.0.authorization.credentials_file': at.tokenFile,
  });
  const theirs = { static_configs: [{ targets: [`127.0.0.1:${own.alertmanagerPort}`] }] };
  const targets = own.hosts.map((host) => ({
    targets: [`127.0.0.1:${own.exporterPort}`],
    labels: { instance: `${host}:9100`, __metrics_path__: `/${host}` },
  }));
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s', external_labels: { prometheus_replica: 'a' } },
    scrape_configs: [{ job_name: 'node', static_configs: targets }],
    ...ours,
    alerting: { ...ours.alerting, alertmanagers: [...ours.alerting.alertmanagers, theirs] },
  };
}

/** Runs amtool with a token; resolves to what it prints, fails with its complaint. */
export function createAmtool(dir: string, url: string): (token: string, args: readonly string[]) => Promise<string> {
  return async (token, args) => {
    const config = join(dir, 'amtool-http.yml');
    writeFileSync(config, stringify({ authorization: { type: 'Bearer', credentials: token } }));
    const common = [`--alertmanager.url=${url}`, `--http.config.file=${config}`, '--timeout=10s'];
    return (await promisify(execFile)('amtool', [...args, ...common], { encoding: 'utf8' })).stdout;
  };
}

async function openExporter(port: number, names: readonly string[]): Promise<Exporter> {
  const hosts: Exporter['hosts'] = new Map(names.map((name) => [name, 'up']));
  const server = createServer((req, res) => {
    const is = hosts.get((req.url ?? '').slice(1)) ?? 'down';
    const free = typeof is === 'number' ? is : 1e12;
    res.writeHead(is === 'down' ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' });
    res.end(`node_filesystem_avail_bytes{mountpoint="/var",fstype="ext4",device="/dev/sda2"} ${free}\n`);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
  return { hosts, close };
}
