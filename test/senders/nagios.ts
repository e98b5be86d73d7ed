// Nagios, run on the files of adapters/nagios/setup/ with hosts and services whose checks print what a test writes.
// One interval is one second. As root, Nagios itself gives up its rights for those of its user.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { changedSettings, changedText } from './setup.ts';
import { startDaemon, until } from './support.ts';

export const instance = 'mon-1';
const scriptPath = '/usr/local/lib/nagios/notify-quench.sh';

/** What each service's check says: its exit code and its output. */
export interface Nagios {
  /** Where the checks and commands may write. */
  readonly dir: string;
  set(host: string, code: 0 | 1 | 2 | 3, output: string): void;
  /** A line for the external command file, without the time. */
  command(line: string): void;
  /** Names of the messages in a folder of the spool. */
  spooled(folder: 'waiting' | 'sending' | 'refused'): readonly string[];
  stop(): Promise<void>;
}

export interface NagiosWanted {
  /** Each has one service, `ping HOST`, notified by the commands that we ship. */
  readonly hosts: readonly string[];
  /** Each has one service, `ping HOST`, notified by the script without arguments: it reads the environment. */
  readonly hostsByEnvironment: readonly string[];
  readonly gatewayPort: number;
  readonly token: string;
}

export async function startNagios(parent: string, wanted: NagiosWanted): Promise<Nagios> {
  const dir = join(parent, 'nagios');
  const user = account();
  for (const folder of ['', 'states', 'spool', 'results', 'rw']) mkdirSync(join(dir, folder));
  const write = (name: string, text: string, mode = 0o644): void => {
    writeFileSync(join(dir, name), text, { mode });
    chownSync(join(dir, name), user.uid, user.gid);
  };
  const set: Nagios['set'] = (host, code, output) => {
    write(`states/${host}.new`, `${code}\n${output}\n`);
    renameSync(join(dir, 'states', `${host}.new`), join(dir, 'states', host));
  };
  write('quench.token', `${wanted.token}\n`, 0o600);
  write('notify-quench.sh', changedText('nagios', 'notify-quench.sh'), 0o755);
  write('check.sh', `#!/bin/sh\nexec <'${dir}/states/'"$1"\nread -r code\ncat\nexit "$code"\n`, 0o755);
  write(
    'quench.conf',
    `${changedSettings('nagios', 'quench.conf', {
      url: `http://127.0.0.1:${wanted.gatewayPort}/webhooks/nagios`,
      token_file: `${dir}/quench.token`,
      spool: `${dir}/spool`,
    })}instance=${instance}\n`,
  );
  write('quench-commands.cfg', changedText('nagios', 'quench-commands.cfg', { from: scriptPath, to: `${dir}/notify-quench.sh` }));
  for (const file of ['quench-contact.cfg', 'quench-event-handlers.cfg']) write(file, changedText('nagios', file));
  write('local.cfg', localObjects(dir, wanted));
  write('nagios.cfg', mainFile(dir, user));
  for (const host of [...wanted.hosts, ...wanted.hostsByEnvironment]) set(host, 0, 'fine');
  chmodSync(parent, 0o711);
  for (const folder of ['', 'states', 'spool', 'results', 'rw']) chownSync(join(dir, folder), user.uid, user.gid);

  const daemon = startDaemon(program(), [join(dir, 'nagios.cfg')], {
    log: join(dir, 'stdout.log'),
    env: { QUENCH_CONF: join(dir, 'quench.conf') },
  });
  await until('Nagios listens on its command file', {
    withinMs: 15_000,
    look: async () => (existsSync(join(dir, 'rw/nagios.cmd')) || !daemon.running() ? true : null),
    seen: async () => daemon.log(),
  });
  if (!daemon.running()) throw new Error(`nagios ended:\n${daemon.log()}`);
  return {
    dir,
    set,
    command(line) {
      const file = openSync(join(dir, 'rw/nagios.cmd'), constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(file, `[${Math.floor(Date.now() / 1_000)}] ${line}\n`);
      closeSync(file);
    },
    spooled: (folder) => (existsSync(join(dir, 'spool', folder)) ? readdirSync(join(dir, 'spool', folder)).sort() : []),
    stop: () => daemon.stop(),
  };
}

interface Account {
  readonly name: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
}

function account(): Account {
  const own = userInfo();
  const name = own.uid === 0 ? 'nagios' : own.username;
  const id = (option: string): string => execFileSync('id', [option, name], { encoding: 'utf8' }).trim();
  return { name, group: id('-gn'), uid: Number(id('-u')), gid: Number(id('-g')) };
}

function program(): string {
  return execFileSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v nagios4'], { encoding: 'utf8' }).trim();
}

/** What an operator's nagios.cfg says; of the characters cleaned from macros only the one that our commands rely on is left. */
function mainFile(dir: string, user: Account): string {
  return `log_file=${dir}/nagios.log
cfg_file=${dir}/local.cfg
cfg_file=${dir}/quench-commands.cfg
cfg_file=${dir}/quench-contact.cfg
cfg_file=${dir}/quench-event-handlers.cfg
object_cache_file=${dir}/objects.cache
status_file=${dir}/status.dat
temp_file=${dir}/nagios.tmp
temp_path=${dir}
check_result_path=${dir}/results
lock_file=${dir}/nagios.pid
command_file=${dir}/rw/nagios.cmd
query_socket=${dir}/rw/nagios.qh
nagios_user=${user.name}
nagios_group=${user.group}
check_external_commands=1
interval_length=1
check_result_reaper_frequency=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
max_service_check_spread=1
max_host_check_spread=1
notification_timeout=30
event_handler_timeout=30
enable_notifications=1
enable_event_handlers=1
enable_flap_detection=0
retain_state_information=0
enable_environment_macros=1
use_syslog=0
status_update_interval=1
check_for_updates=0
illegal_macro_output_chars='
`;
}

function localObjects(dir: string, { hosts, hostsByEnvironment }: NagiosWanted): string {
  const define = (kind: string, members: { readonly [name: string]: string }): string =>
    `define ${kind} {\n${Object.entries(members)
      .map(([name, value]) => `    ${name} ${value}\n`)
      .join('')}}\n`;
  const everyMinute = '00:00-24:00';
  const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
  const one = (host: string, at: number, contact: object, handlers: boolean): string =>
    define('host', {
      ...(handlers ? { use: 'quench-host-events' } : {}),
      host_name: host,
      alias: `${host}'s host`,
      address: `192.0.2.${at}`,
      max_check_attempts: '1',
      check_period: '24x7',
      notification_period: '24x7',
      ...contact,
    }) +
    define('service', {
      ...(handlers ? { use: 'quench-service-events' } : {}),
      host_name: host,
      service_description: `ping ${host}`, // of its own: alerts on services of one name are one incident
      check_command: 'local-check',
      max_check_attempts: '3',
      check_interval: '1',
      retry_interval: '2',
      check_period: '24x7',
      notification_period: '24x7',
      notification_interval: '0',
      ...contact,
    });
  return [
    define('timeperiod', { timeperiod_name: '24x7', alias: 'always', ...Object.fromEntries(days.map((day) => [day, everyMinute])) }),
    define('command', { command_name: 'local-check', command_line: `${dir}/check.sh $HOSTNAME$` }),
    define('command', { command_name: 'notify-by-environment', command_line: `${dir}/notify-quench.sh` }),
    define('contact', {
      contact_name: 'by-environment',
      host_notification_period: '24x7',
      service_notification_period: '24x7',
      host_notification_options: 'd,u,r,f,s',
      service_notification_options: 'w,u,c,r,f,s',
      host_notification_commands: 'notify-by-environment',
      service_notification_commands: 'notify-by-environment',
    }),
    ...hosts.map((host, at) => one(host, at + 1, { contact_groups: 'quench' }, true)),
    ...hostsByEnvironment.map((host, at) => one(host, at + 101, { contacts: 'by-environment' }, false)),
  ].join('\n');
}
