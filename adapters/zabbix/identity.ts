// By what a Zabbix problem is known: the trigger, or what stands in for it, and the problem event as its episode.
//   Z2  Identity is the trigger, which implies its host: a recovery without a host macro still pairs. The problem event is the episode.
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { fingerprintOf } from '../kit/event.ts';
import type { ZabbixConfig } from './config.ts';
import { pick, type Fields } from './fields.ts';

/** Z2. Without a trigger id: the service, host and problem name, or the sender's own key of the problem. */
export function identityOf(fields: Fields, origin: string, config: ZabbixConfig): string | null {
  const instance = pick(fields, 'instance') || (config.instance ?? '');
  const print = (...parts: readonly string[]) => fingerprintOf('zabbix', [instance, ...parts]);
  const trigger = pick(fields, 'triggerid');
  if (/^\d{1,20}$/.test(trigger)) return print('trigger', trigger);
  const name = problemNameOf(fields);
  if (origin === 'service') {
    const service = pick(fields, 'serviceid', 'servicename') || name;
    if (service !== '') return print('service', service);
  }
  const host = hostOf(fields);
  if (host !== '' && name !== '') return print('name', host, name);
  const key = keyOf(fields);
  if (key !== '') return print('key', key);
  const told = name || subjectOf(fields).replace(/^[^a-z]*(?:problem|resolved)(?: in [^:]{1,40})?\s{0,8}:\s{0,8}/i, '');
  return told === '' ? null : print('name', host, told);
}

/** The problem in words, by the names of our media type, or by those of scripts that send a few texts only. */
export function problemNameOf(fields: Fields): string {
  const name = pick(fields, 'eventname', 'name', 'problemname', 'triggername', 'linename', 'problem');
  const trigger = pick(fields, 'trigger');
  return name || (/^zabbix\.\w+$/.test(trigger) ? '' : trigger); // StackStorm's own trigger
}

export function hostOf(fields: Fields): string {
  return pick(fields, 'hosthost', 'host', 'hosttechnicalname') || pick(fields, 'hostname', 'triggerhostname', 'linehost', 'hostdns');
}

/** The sender's key of one problem: the event id, a script's group, an alert's uid. */
export function keyOf(fields: Fields): string {
  const id = pick(fields, 'eventid', 'id', 'entityid', 'alertuid', 'lineeventid');
  if (id !== '') return id.slice(0, 128).toWellFormed();
  return /ONCALL_GROUP:\s{0,8}(\S{1,128})/.exec(pick(fields, 'alertsubject', 'subject', 'title'))?.[1]?.toWellFormed() ?? '';
}

/** Zabbix numbers all its events, and never anew: of two problems of one trigger the greater id is the later. */
export function orderOf(fields: Fields): Pick<AlertEvent, 'episodeOrder'> {
  const number = /^0*([1-9]\d{0,19})$/.exec(keyOf(fields))?.[1];
  return number === undefined ? {} : { episodeOrder: number };
}

export function subjectOf(fields: Fields): string {
  const subject = pick(fields, 'alertsubject', 'subject', 'title', 'entitydisplayname').slice(0, 4_096);
  return subject.replace(/ONCALL_GROUP:\s{0,8}\S{1,256}/, '').trim();
}
