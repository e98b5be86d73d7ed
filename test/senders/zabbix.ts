// A Zabbix of our own: PostgreSQL, zabbix_server and the frontend's JSON-RPC on 127.0.0.1, with everything in one folder. Hosts have one
// trapper item and one trigger; what a test sends them is the state. As root, PostgreSQL gives up its rights for those of its user.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, root, startDaemon, until, type Daemon } from './support.ts';

const schemas = ['schema', 'images', 'data'].map((name) => `/usr/share/zabbix-server-pgsql/${name}.sql.gz`);
/** How often the server reads its configuration anew. */
const configEveryMs = 1_000;
const frontend = '/usr/share/zabbix';
const mediaType = join(root, 'adapters/zabbix/setup/media_type_quench.yaml');

/** Programs, with the Debian packages that install.sh installs for them. */
export const zabbixPrograms = {
  zabbix_server: 'zabbix-server-pgsql',
  php: 'php-cli',
  psql: 'postgresql',
  '/usr/lib/postgresql/*/bin/initdb': 'postgresql',
  setpriv: 'util-linux',
  '/usr/share/zabbix/api_jsonrpc.php': 'zabbix-frontend-php',
  '/usr/lib/php/*/pgsql.so': 'php-pgsql',
} as const;

export interface Zabbix {
  /** Of api_jsonrpc.php. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Calls the API as its administrator. */
  call<T>(method: string, params: object): Promise<T>;
  /** A value for the host's item: 1 is a problem, 0 none. */
  set(host: string, value: 0 | 1): Promise<void>;
  /** Ids of the host's open problems. */
  problems(host: string): Promise<readonly string[]>;
  /** Whether the action that tells Quench is carried out. */
  tells(isOn: boolean): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export async function startZabbix(
  dir: string,
  wanted: { readonly hosts: readonly string[]; readonly endpoint: string; readonly token: string },
): Promise<Zabbix> {
  const home = join(dir, 'zabbix');
  mkdirSync(home);
  chmodSync(dir, 0o711);
  chmodSync(home, 0o711);
  const started: Daemon[] = [];
  const stop = async (): Promise<void> => {
    for (const daemon of started.toReversed()) await daemon.stop();
  };
  try {
    const database = await startDatabase(home, started);
    const trapper = await lowPort();
    const server = startServer(home, database, trapper);
    started.push(server);
    const { url, php } = await startFrontend(home, database, trapper);
    started.push(php);
    const api = await openApi(url, () => `${server.log()}\n${php.log()}`);
    const { action, hosts } = await configure(api, wanted);
    return {
      url,
      user: 'Admin',
      password: 'zabbix',
      call: api.call,
      set: (host, value) => send(trapper, host, value, server),
      async problems(host) {
        const open = await api.call<{ eventid: string }[]>('problem.get', { hostids: [hosts.get(host)], output: ['eventid'] });
        return open.map(({ eventid }) => eventid);
      },
      async tells(isOn) {
        await api.call('action.update', { actionid: action, status: isOn ? 0 : 1 });
        await sleep(3 * configEveryMs);
      },
      log: () => server.log(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

// ---------------------------------------------------------------- daemons

interface Database {
  readonly port: number;
}

async function startDatabase(home: string, started: Daemon[]): Promise<Database> {
  const bin = globSync('/usr/lib/postgresql/*/bin').toSorted().at(-1) ?? '';
  const data = join(home, 'pg');
  mkdirSync(data);
  const isRoot = userInfo().uid === 0;
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const owner = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (owner.uid !== undefined) chownSync(data, owner.uid, owner.gid);
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'zabbix', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { ...owner, cwd: data });
  const port = await freePort();
  // What is in it lives as long as the test.
  const settings = { listen_addresses: '127.0.0.1', port: `${port}`, unix_socket_directories: '', fsync: 'off', full_page_writes: 'off' };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const drop = isRoot ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  const daemon = startDaemon('setpriv', [...drop, join(bin, 'postgres'), ...args], { log: join(home, 'postgres.log') });
  started.push(daemon);
  await until('PostgreSQL answers', {
    withinMs: 60_000,
    look: async () => (runs(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', `${port}`, '-q']) ? true : null),
    seen: async () => daemon.log(),
  });
  const at = ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'zabbix'];
  execFileSync('createdb', [...at, 'zabbix']);
  const load = `set -e; for file in ${schemas.join(' ')}; do zcat "$file"; done | psql -q -v ON_ERROR_STOP=1 -o /dev/null "$@"`;
  execFileSync('sh', ['-c', load, 'sh', ...at, 'zabbix'], { stdio: ['ignore', 'ignore', 'inherit'] });
  return { port };
}

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function startServer(home: string, database: Database, trapper: number): Daemon {
  const settings: Readonly<Record<string, string | number>> = {
    ListenIP: '127.0.0.1',
    ListenPort: trapper,
    DBHost: '127.0.0.1',
    DBPort: database.port,
    DBName: 'zabbix',
    DBUser: 'zabbix',
    LogType: 'console',
    PidFile: join(home, 'server.pid'),
    SocketDir: home,
    AllowRoot: 1,
    CacheUpdateFrequency: configEveryMs / 1_000,
    StartPollers: 1,
    StartPingers: 0,
    StartDiscoverers: 0,
    StartHTTPPollers: 0,
    StartAlerters: 3,
  };
  const text = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(home, 'server.conf'), text.join(''));
  return startDaemon('/usr/sbin/zabbix_server', ['-f', '-c', join(home, 'server.conf')], { log: join(home, 'server.log') });
}

/** Zabbix listens below 32768 only, where the system gives no port of itself. */
async function lowPort(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error('no free port between 20000 and 30000');
}

/** Debian's frontend reads its settings from one place of the system: a copy of it reads ours. */
async function startFrontend(home: string, database: Database, trapper: number): Promise<{ readonly url: string; readonly php: Daemon }> {
  const www = join(home, 'www');
  cpSync(frontend, www, { recursive: true, dereference: true, filter: (from) => !/\/(?:assets|audio|locale)$/.test(from) });
  const file = join(www, 'include/classes/core/CConfigFile.php');
  const config = join(home, 'zabbix.conf.php');
  const source = readFileSync(file, 'utf8');
  const placed = source.replace(/CONFIG_FILE_PATH = '[^']*'/, `CONFIG_FILE_PATH = '${config}'`);
  assert.ok(placed.includes(config), 'the frontend names its settings');
  writeFileSync(file, placed);
  writeFileSync(
    config,
    `<?php\n$DB['TYPE'] = 'POSTGRESQL';\n$DB['SERVER'] = '127.0.0.1';\n$DB['PORT'] = '${database.port}';\n$DB['DATABASE'] = 'zabbix';\n` +
      `$DB['USER'] = 'zabbix';\n$DB['PASSWORD'] = '';\n$DB['SCHEMA'] = '';\n$DB['ENCRYPTION'] = false;\n$DB['DOUBLE_IEEE754'] = true;\n` +
      `$ZBX_SERVER = '127.0.0.1';\n$ZBX_SERVER_PORT = '${trapper}';\n$ZBX_SERVER_NAME = '';\n$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;\n`,
  );
  const port = await freePort();
  const php = startDaemon('php', ['-d', 'date.timezone=UTC', '-d', 'memory_limit=512M', '-S', `127.0.0.1:${port}`, '-t', www], {
    log: join(home, 'php.log'),
  });
  return { url: `http://127.0.0.1:${port}/api_jsonrpc.php`, php };
}

// ---------------------------------------------------------------- the API

interface Api {
  call<T>(method: string, params: object): Promise<T>;
}

async function openApi(url: string, log: () => string): Promise<Api> {
  async function ask(method: string, params: object, auth: string | null): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', method, params, id: 1, ...(auth === null ? {} : { auth }) });
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json-rpc' }, body });
    const said = (await answer.json()) as { readonly result?: unknown; readonly error?: unknown };
    if (said.error !== undefined) throw new Error(`${method}: ${JSON.stringify(said.error)}`);
    return said.result;
  }
  const login = { username: 'Admin', password: 'zabbix' };
  const session = await until('the API of Zabbix lets its administrator in', {
    withinMs: 60_000,
    look: () =>
      ask('user.login', login, null).then(
        (result) => String(result),
        () => null,
      ),
    seen: async () => log(),
  });
  return {
    // The caller knows what the method answers.
    call: <T>(method: string, params: object) => ask(method, params, session) as Promise<T>,
  };
}

/** As the README says: macros, our media type, a user of its own with it, an action that tells that user; and hosts. */
async function configure(
  { call }: Api,
  { hosts, endpoint, token }: Parameters<typeof startZabbix>[1],
): Promise<{ readonly action: string; readonly hosts: ReadonlyMap<string, string> }> {
  await call('usermacro.createglobal', { macro: '{$QUENCH.TOKEN}', value: token, type: 1 });
  await call('configuration.import', {
    format: 'yaml',
    rules: { mediaTypes: { createMissing: true, updateExisting: true } },
    source: readFileSync(mediaType, 'utf8'),
  });
  type Parameter = { readonly name: string; readonly value: string };
  const [media] = await call<{ mediatypeid: string; parameters: Parameter[] }[]>('mediatype.get', {
    filter: { name: 'Quench' },
    output: ['mediatypeid', 'parameters'],
  });
  assert.ok(media !== undefined, 'our media type was imported');
  const parameters = media.parameters.map(({ name, value }) => ({ name, value: name === 'quench_url' ? endpoint : value }));
  await call('mediatype.update', { mediatypeid: media.mediatypeid, parameters, status: 0 });
  const [group] = await call<{ usrgrpid: string }[]>('usergroup.get', { filter: { name: 'Zabbix administrators' }, output: ['usrgrpid'] });
  const { userids } = await call<{ userids: string[] }>('user.create', {
    username: 'quench',
    passwd: 'N0-0ne-logs-in-by-this',
    roleid: '3',
    usrgrps: [{ usrgrpid: group?.usrgrpid }],
    medias: [{ mediatypeid: media.mediatypeid, sendto: 'quench', active: 0, severity: 63, period: '1-7,00:00-24:00' }],
  });
  const [userid = ''] = userids;
  const told = [{ operationtype: 0, opmessage: { default_msg: 1, mediatypeid: media.mediatypeid }, opmessage_usr: [{ userid }] }];
  const { actionids } = await call<{ actionids: string[] }>('action.create', {
    name: 'tell Quench',
    eventsource: 0,
    status: 0,
    esc_period: '1h',
    operations: told.map((operation) => ({ ...operation, esc_period: '0', esc_step_from: 1, esc_step_to: 1 })),
    recovery_operations: told,
    update_operations: told,
  });
  const { groupids } = await call<{ groupids: string[] }>('hostgroup.create', { name: 'quench test' });
  const ids = new Map<string, string>();
  for (const host of hosts) ids.set(host, await addHost(call, host, groupids[0] ?? ''));
  return { action: actionids[0] ?? '', hosts: ids };
}

async function addHost(call: Api['call'], host: string, groupid: string): Promise<string> {
  const { hostids } = await call<{ hostids: string[] }>('host.create', { host, name: `${host} of the test`, groups: [{ groupid }] });
  const [hostid = ''] = hostids;
  await call('item.create', { hostid, name: 'state', key_: 'quench.state', type: 2, value_type: 3 });
  await call('trigger.create', {
    description: `Web is down on {HOST.NAME}`,
    expression: `last(/${host}/quench.state)=1`,
    priority: 4,
    manual_close: 1,
    tags: [{ tag: 'service', value: `shop-${host}` }],
  });
  return hostid;
}

// ---------------------------------------------------------------- values

/** As zabbix_sender does it; again until the server knows the item. */
async function send(port: number, host: string, value: number, server: Daemon): Promise<void> {
  let answer = '';
  await until(`the server takes a value of ${host}`, {
    withinMs: 60_000,
    async look() {
      assert.ok(server.running(), `the server ended:\n${server.log()}`);
      answer = await exchange(port, { request: 'sender data', data: [{ host, key: 'quench.state', value: String(value) }] });
      return answer.includes('processed: 1') ? true : null;
    },
    seen: async () => `${answer}\n${server.log()}`,
  });
}

function exchange(port: number, message: object): Promise<string> {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(13);
  head.write('ZBXD\u0001', 'latin1');
  head.writeUInt32LE(body.length, 5);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1', () => socket.end(Buffer.concat([head, body])));
  let text = '';
  socket.setTimeout(5_000, () => socket.destroy());
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', (error) => (text += error.message));
  socket.on('close', () => resolve(text));
  return promise;
}
