// Nagios and its kin (Icinga 2, Naemon, Checkmk): host and service notifications and event handlers.
// One delivery is one claim. The shapes it comes in are fields.ts, what it claims claims.ts, the rest event.ts; what to paste into Nagios
// is setup/.
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { boundEvent } from '../kit/event.ts';
import { claimOf, kindOf, notices, stateOf, type Notice } from './claims.ts';
import type { NagiosConfig } from './config.ts';
import { eventOf } from './event.ts';
import { fieldsOf, pick, type Fields } from './fields.ts';

/** One Nagios, or several that name themselves. Takes JSON of the known shapes and forms. */
export function nagios(config: NagiosConfig): Source {
  return { name: 'nagios', parse: (delivery) => parse(delivery, config) };
}

function parse(delivery: Delivery, config: NagiosConfig): Result<Parsed, ParseFailure> {
  const read = fieldsOf(delivery);
  if (!read.ok) return read;
  const fields = read.value;
  const { host, service } = objectOf(fields);
  if (host === '') return refused('host name missing: expected HOSTNAME, host_name or host.name');
  const kind = kindOf(fields, service);
  if (kind === 'service' && service === '') return refused('service check without SERVICEDESC or service_description');
  const typed = pick(fields, 'notificationtype', 'type', 'nagiosnotification')
    .toUpperCase()
    .replace(/[^A-Z]/g, '')
    .replace(/^(?:STATECHANGE|CHECKRESULT)$/, ''); // Icinga's event stream: the state says it all
  const state = stateOf(fields, kind);
  if (typed === '' && state === undefined) return refused('neither a notification type nor a state that Nagios knows');
  const warnings: string[] = [];
  const notice = notices.get(typed);
  if (typed !== '' && notice === undefined) warnings.push(`nagios: notification type "${typed.slice(0, 40)}" is not known; noted only`);
  const said: Notice | undefined = typed === '' ? undefined : (notice ?? { says: 'noted', note: 'notification of an unknown type' });
  const claim = claimOf(said, state, warnings);
  const event = eventOf({ delivery, config, fields, kind, host, service: kind === 'service' ? service : '', state, said, claim });
  return ok({ events: [boundEvent(event)], warnings });
}

/** Icinga names a service by its host, too: `web-1!disk` is `disk` on `web-1`. */
function objectOf(fields: Fields): { readonly host: string; readonly service: string } {
  const host = pick(fields, 'hostname', 'host');
  const service = pick(fields, 'servicedesc', 'servicedescription', 'service', 'servicename');
  const mark = service.indexOf('!');
  const owner = service.slice(0, Math.max(0, mark));
  const isWhole = owner !== '' && mark < service.length - 1 && (host === '' || host.toLowerCase() === owner.toLowerCase());
  return isWhole ? { host: host || owner, service: service.slice(mark + 1) } : { host, service };
}

function refused(what: string): Result<never, ParseFailure> {
  return fail({ reason: 'wrong_shape', message: `nagios: ${what}` });
}
