// A real Apache Kafka for tests: one broker or three, each a JVM of its own in KRaft mode, on 127.0.0.1.
// For killing, stopping and restarting brokers under a client; not for figures about Kafka itself.
//   K1  Every wait is bounded, and its error shows the end of the broker's log.
//   K2  Brokers and folders go when the test process ends, also by a bug or SIGTERM; only its own SIGKILL leaves them.
//   K3  A broker comes back with its data on its old port.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon, until, type Daemon } from '../../senders/support.ts';
import { dataFolder, writeCertificate, writeProperties, type KafkaUser, type Plan, type Ports, type Security } from './files.ts';
import { foreignBrokers, kafkaJars, kafkaVersion } from './jars.ts';
import { setScram, type Scram } from './scram.ts';

export { kafkaAvailable, kafkaPresence, kafkaVersions } from './jars.ts';

export interface KafkaOptions {
  readonly brokers: 1 | 3;
  /** Default: QUENCH_KAFKA_VERSION, else the newest that is known to work. */
  readonly version?: string;
  /** What clients must do on the listener; default `none`. */
  readonly security?: Security;
  /** Who may log in, by PLAIN and by SCRAM-SHA-256 and -512; default `{ name: 'quench', password: 'quench-password' }`. */
  readonly users?: readonly KafkaUser[];
  /** Over the harness's own, see files.ts. */
  readonly properties?: { readonly [name: string]: string };
}

export interface KafkaBroker {
  /** 1 to 3. */
  readonly id: number;
  readonly port: number;
  /** Null when it does not run or is not ours. */
  readonly pid: number | null;
  /** Resolves when the process is gone, or at once for SIGSTOP and SIGCONT. Default SIGKILL. */
  kill(signal?: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts it again on the same data and port; resolves when it is registered and serves. */
  start(): Promise<void>;
}

export interface KafkaCluster {
  /** `host:port` of every broker's client listener. */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly KafkaBroker[];
  readonly version: string;
  readonly users: readonly KafkaUser[];
  /** PEM file that clients trust, with `tls+sasl`. */
  readonly caFile: string | null;
  /** The broker numbered `id`, of those that are ours. */
  broker(id: number): KafkaBroker;
  /**
   * Sets a SCRAM password, or removes it with null; at least one broker must run.
   * Connections that are logged in stay so; PLAIN users are fixed for the cluster's life.
   */
  setPassword(name: string, password: string | null, mechanisms?: readonly Scram[]): Promise<void>;
  /** The last 4,000 characters that broker `id` wrote since its latest start. */
  logTail(id: number): string;
  /** Ends every broker and removes the data. */
  stop(): Promise<void>;
}

const bothScrams: readonly Scram[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];

/** Starts a cluster; resolves when every broker is registered and serves. Uses QUENCH_KAFKA_BROKERS instead where that is set. */
export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  const { security = 'none', users = [{ name: 'quench', password: 'quench-password' }], properties = {} } = options;
  const version = options.version ?? kafkaVersion();
  if (foreignBrokers().length > 0) return foreignCluster(security);

  const jars = kafkaJars(version);
  const dir = mkdtempSync(join(tmpdir(), 'quench-kafka-'));
  const sweep = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  process.on('exit', sweep);
  const plan: Plan = { dir, ports: await freePorts(options.brokers), security, users, properties };
  const caFile = security === 'tls+sasl' ? writeCertificate(dir) : null;
  const brokers = plan.ports.map((ports, at) => createBroker(jars, { dir, id: at + 1, ports, file: writeProperties(plan, at + 1) }));
  const brokerOf = (id: number): OwnBroker => brokers.find((broker) => broker.id === id) ?? assert.fail(`no broker ${id}`);

  async function setPassword(name: string, password: string | null, mechanisms: readonly Scram[] = bothScrams): Promise<void> {
    const at = brokers.find((broker) => broker.pid !== null) ?? assert.fail('no broker runs');
    for (const scram of mechanisms) await setScram(at.innerPort, { name, password }, scram);
  }
  async function stop(): Promise<void> {
    await Promise.all(brokers.map((broker) => broker.kill('SIGKILL')));
    sweep();
    process.off('exit', sweep);
  }
  try {
    format(jars, plan);
    await Promise.all(brokers.map((broker) => broker.start()));
    if (security !== 'none') for (const { name, password } of users) await setPassword(name, password);
  } catch (error) {
    await stop();
    throw error;
  }
  const bootstrap = brokers.map(({ port }) => `127.0.0.1:${port}`);
  return { bootstrap, brokers, version, users, caFile, broker: brokerOf, setPassword, logTail: (id) => brokerOf(id).logTail(), stop };
}

/** Formats one data folder with the broker's own tool and copies it under the other ids: one JVM instead of three. */
function format(jars: string, { dir, ports }: Plan): void {
  const [first, ...others] = ports.map((_, at) => at + 1);
  assert.ok(first !== undefined, 'at least one broker');
  const clusterId = uuid();
  const args = [...jvm(jars), 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', join(dir, `broker-${first}.properties`)];
  const done = spawnSync('java', args, { encoding: 'utf8', timeout: 60_000 });
  assert.equal(done.status, 0, `format of ${dataFolder(dir, first)}: ${done.stdout}${done.stderr}`);
  for (const id of others) {
    cpSync(dataFolder(dir, first), dataFolder(dir, id), { recursive: true });
    const meta = `version=1\nnode.id=${id}\ncluster.id=${clusterId}\ndirectory.id=${uuid()}\n`;
    writeFileSync(join(dataFolder(dir, id), 'meta.properties'), meta);
  }
}

interface OwnBroker extends KafkaBroker {
  readonly innerPort: number;
  logTail(): string;
}

function createBroker(jars: string, at: { dir: string; id: number; ports: Ports; file: string }): OwnBroker {
  const { dir, id, ports, file } = at;
  let daemon: Daemon | null = null;
  let starts = 0;
  const logFile = (): string => join(dir, `broker-${id}.${starts}.log`);
  const running = (): Daemon | null => (daemon?.running() === true ? daemon : null);

  async function start(): Promise<void> {
    assert.equal(running(), null, `broker ${id} runs already`);
    starts += 1;
    const began = startDaemon('java', [...jvm(jars), 'kafka.Kafka', file], { log: logFile() });
    daemon = began;
    await until(`broker ${id} of ${dir} serves`, {
      withinMs: 60_000,
      async look() {
        assert.ok(began.running(), `broker ${id} ended:\n${began.log()}`);
        return readFileSync(logFile(), 'utf8').includes('Kafka Server started') ? true : null; // said after its registration
      },
      seen: async () => began.log(),
    });
  }
  async function kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' = 'SIGKILL'): Promise<void> {
    const it = running();
    if (signal === 'SIGKILL') return it?.kill();
    assert.ok(it !== null, `broker ${id} does not run`);
    if (signal === 'SIGTERM') return it.stop();
    process.kill(it.pid, signal);
  }
  return {
    id,
    port: ports.client,
    innerPort: ports.inner,
    get pid() {
      return running()?.pid ?? null;
    },
    kill,
    start,
    logTail: () => daemon?.log() ?? '',
  };
}

/** Small heaps and the quick compiler, for a short life on few cores; the log says what went wrong, and when it is ready. */
function jvm(jars: string): readonly string[] {
  const log = Object.entries({
    defaultLogLevel: 'warn',
    'log.kafka.server.KafkaRaftServer': 'info', // says when it serves
    showDateTime: 'true',
    dateTimeFormat: 'HH:mm:ss.SSS',
    showThreadName: 'false',
  }).map(([name, value]) => `-Dorg.slf4j.simpleLogger.${name}=${value}`);
  return ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...log, '-cp', join(jars, '*')];
}

/** Random, in the form that Kafka wants: 16 bytes, base64url, not beginning with a dash. */
function uuid(): string {
  return Buffer.from(crypto.randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'A');
}

/** Free ports below those that systems give to outgoing connections: a dead broker's port must still be free when it returns. */
async function freePorts(brokers: number): Promise<readonly Ports[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < brokers * 3; tries += 1) {
    assert.ok(tries < 1_000, 'no free ports');
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) found.add(port);
  }
  const [...all] = found;
  return Array.from({ length: brokers }, (_, at) => {
    const [client = 0, inner = 0, controller = 0] = all.slice(at * 3);
    return { client, inner, controller };
  });
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  const free = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  probe.close();
  return free;
}

/** Brokers that somebody else runs: clients can use them, nothing here can kill, start or configure them. */
function foreignCluster(security: Security): KafkaCluster {
  assert.equal(security, 'none', 'QUENCH_KAFKA_BROKERS: no security with foreign brokers');
  const not = async (): Promise<never> => assert.fail('QUENCH_KAFKA_BROKERS: foreign brokers are not killed, started or configured');
  const bootstrap = foreignBrokers();
  const brokers = bootstrap.map((address, at) => {
    return { id: at + 1, port: Number(address.slice(address.lastIndexOf(':') + 1)), pid: null, kill: not, start: not };
  });
  const broker = (id: number): KafkaBroker => brokers[id - 1] ?? assert.fail(`no broker ${id}`);
  const stop = async (): Promise<void> => {};
  return { bootstrap, brokers, version: 'foreign', users: [], caFile: null, broker, setPassword: not, logTail: () => '', stop };
}
