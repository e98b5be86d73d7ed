// The state of all hosts and services, by Nagios's status file or by its statusjson.cgi, brought to one shape. Knows no alert.
//   T1  Whatever the bytes: nothing throws, and what is not understood is no status at all, never an empty one.
import type { Instant } from '../../src/core/time.ts';
import { isObject, textOf, type JsonObject } from '../kit/event.ts';

export interface CheckedObject {
  readonly kind: 'host' | 'service';
  readonly host: string;
  readonly service: string;
  /** As notifications write it: `CRITICAL`, `DOWN`. */
  readonly state: string;
  readonly checked: boolean;
  readonly hard: boolean;
  readonly problemId: string;
  readonly downtimeDepth: number;
  readonly isFlapping: boolean;
  readonly notifies: boolean;
  readonly output: string;
  readonly longOutput: string;
  readonly perfdata: string;
  readonly attempt: string;
  readonly attemptsMax: string;
  /** Seconds since 1970. */
  readonly lastCheck: string;
  readonly lastChange: string;
}

export interface NagiosStatus {
  /** When Nagios wrote it down. */
  readonly asOf: Instant;
  readonly objects: readonly CheckedObject[];
}

const hostStates: readonly string[] = ['UP', 'DOWN', 'UNREACHABLE'];
const serviceStates: readonly string[] = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'];

/** What is in trouble, and what has not been checked yet. A service of a host in downtime is in downtime. */
export function checkedObjects({ objects }: NagiosStatus): {
  readonly open: readonly CheckedObject[];
  readonly unchecked: readonly CheckedObject[];
} {
  const planned = new Set(objects.flatMap(({ kind, host, downtimeDepth }) => (kind === 'host' && downtimeDepth > 0 ? [host] : [])));
  const isWell = ({ state }: CheckedObject): boolean => state === 'OK' || state === 'UP';
  const open = objects.filter((object) => object.checked && !isWell(object));
  return {
    open: open.map((object) => (planned.has(object.host) ? inDowntime(object) : object)),
    unchecked: objects.filter(({ checked }) => !checked),
  };
}

function inDowntime(object: CheckedObject): CheckedObject {
  return { ...object, downtimeDepth: Math.max(1, object.downtimeDepth) };
}

type Block = ReadonlyMap<string, string>;

/** Null unless the file has the head, and ends with a whole block. */
export function parseStatusFile(text: string): NagiosStatus | null {
  const objects: CheckedObject[] = [];
  let asOf: Instant | null = null;
  let hasProgram = false;
  let block: { readonly name: string; readonly members: Map<string, string> } | null = null;
  for (const line of text.split('\n')) {
    if (block === null) {
      const name = /^([a-z]+) \{$/.exec(line)?.[1];
      if (name !== undefined) block = { name, members: new Map() };
    } else if (line.trim() === '}') {
      if (block.name === 'info') asOf = secondsOf(block.members.get('created') ?? '');
      hasProgram ||= block.name === 'programstatus';
      const object = block.name === 'hoststatus' || block.name === 'servicestatus' ? objectOfBlock(block.name, block.members) : null;
      if (object !== null) objects.push(object);
      block = null;
    } else {
      const at = line.indexOf('=');
      if (at > 0) block.members.set(line.slice(0, at).trim(), line.slice(at + 1));
    }
  }
  return block === null && asOf !== null && hasProgram ? { asOf, objects } : null;
}

function objectOfBlock(name: 'hoststatus' | 'servicestatus', block: Block): CheckedObject | null {
  const get = (member: string): string => block.get(member) ?? '';
  const kind = name === 'hoststatus' ? 'host' : 'service';
  const state = (kind === 'host' ? hostStates : serviceStates)[Number(get('current_state') || '-1')];
  if (state === undefined || get('host_name') === '') return null;
  return {
    kind,
    host: get('host_name'),
    service: get('service_description'),
    state,
    checked: get('has_been_checked') === '1',
    hard: get('state_type') === '1',
    problemId: get('current_problem_id'),
    downtimeDepth: Number(get('scheduled_downtime_depth')) || 0,
    isFlapping: get('is_flapping') === '1',
    notifies: get('notifications_enabled') !== '0',
    output: get('plugin_output'),
    longOutput: get('long_plugin_output'),
    perfdata: get('performance_data'),
    attempt: get('current_attempt'),
    attemptsMax: get('max_attempts'),
    lastCheck: get('last_check'),
    lastChange: get('last_state_change'),
  };
}

/** The answers to programstatus, hostlist and servicelist (details, enumerated); null unless all three are there. */
export function objectsOfCgi([program, hosts, services]: readonly unknown[]): NagiosStatus | null {
  const running = dataOf(program, 'programstatus');
  const hostList = dataOf(hosts, 'hostlist');
  const serviceList = dataOf(services, 'servicelist');
  const asOf = isObject(program) && isObject(program['result']) ? Number(program['result']['last_data_update']) : Number.NaN;
  if (running === null || hostList === null || serviceList === null || !Number.isFinite(asOf) || asOf <= 0) return null;
  const objects: CheckedObject[] = [];
  for (const [host, doc] of Object.entries(hostList)) if (isObject(doc)) objects.push(objectOfCgi('host', host, '', doc));
  for (const [host, inner] of Object.entries(serviceList)) {
    if (!isObject(inner)) continue;
    for (const [service, doc] of Object.entries(inner)) if (isObject(doc)) objects.push(objectOfCgi('service', host, service, doc));
  }
  return { asOf, objects };
}

function dataOf(answer: unknown, member: string): JsonObject | null {
  if (!isObject(answer) || !isObject(answer['result']) || !isObject(answer['data'])) return null;
  const data = answer['data'][member];
  return answer['result']['type_code'] === 0 && isObject(data) ? data : null;
}

/** It names no problem id: such an alert is known by its identity alone. Times are in milliseconds. */
function objectOfCgi(kind: 'host' | 'service', host: string, service: string, doc: JsonObject): CheckedObject {
  const get = (member: string): string => textOf(doc[member]);
  const seconds = (member: string): string => String(Math.floor(Number(get(member) || '0') / 1_000));
  return {
    kind,
    host,
    service,
    state: get('status').toUpperCase(),
    checked: doc['has_been_checked'] === true && get('status').toLowerCase() !== 'pending',
    hard: get('state_type').toLowerCase() === 'hard',
    problemId: '',
    downtimeDepth: Number(get('scheduled_downtime_depth')) || 0,
    isFlapping: doc['is_flapping'] === true,
    notifies: doc['notifications_enabled'] !== false,
    output: get('plugin_output'),
    longOutput: get('long_plugin_output'),
    perfdata: get('perf_data'),
    attempt: get('current_attempt'),
    attemptsMax: get('max_attempts'),
    lastCheck: seconds('last_check'),
    lastChange: seconds('last_state_change'),
  };
}

function secondsOf(text: string): Instant | null {
  return /^[1-9]\d{8,9}$/.test(text) ? Number(text) * 1_000 : null;
}
