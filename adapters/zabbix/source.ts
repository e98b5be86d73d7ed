// Zabbix: problems, their updates and recoveries, by our media type, the official ones, or a script of the user's own.
// The shapes they come in are fields.ts; what they claim claims.ts, by what they are known identity.ts, the rest event.ts and times.ts;
// what to import into Zabbix is setup/.
//   Z4  Discovery, autoregistration and internal events are no alerts.
import type { Severity } from '../../src/core/alert/severity.ts';
import { ok, type Result } from '../../src/core/errors.ts';
import type { Delivery, Parsed, ParseFailure, Source } from '../../src/ports/source.ts';
import { boundEvent } from '../kit/event.ts';
import { commonSeverities, severityReader, unknownSeverity } from '../kit/severity.ts';
import { refused, saidBy, seen } from './claims.ts';
import type { ZabbixConfig } from './config.ts';
import { eventOf } from './event.ts';
import { fieldsOf, isLiteral, pick, type Fields } from './fields.ts';
import { identityOf } from './identity.ts';
import { suppressedUntil } from './times.ts';

const sources: readonly string[] = ['trigger', 'discovery', 'autoregistration', 'internal', 'service'];
const byNumber: readonly Severity[] = ['info', 'info', 'warning', 'warning', 'error', 'critical'];
/** Here a number counts from the mildest, also where a template puts it in the place of a name. */
const byName = severityReader(commonSeverities, { 'not classified': 'info', ...Object.fromEntries(byNumber.entries()) });

/** One Zabbix server, or several that name themselves. Takes JSON of the known shapes. */
export function zabbix(config: ZabbixConfig): Source {
  return { name: 'zabbix', parse: (delivery) => parse(delivery, config) };
}

function parse(delivery: Delivery, config: ZabbixConfig): Result<Parsed, ParseFailure> {
  const read = fieldsOf(delivery.body);
  if (!read.ok) return read;
  const fields = read.value;
  const warnings: string[] = [];
  const origin = sources[Number(pick(fields, 'eventsource') || '0')];
  if (origin === undefined) return refused(`event_source must be 0–4, got ${seen(pick(fields, 'eventsource'))}`);
  if (origin !== 'trigger' && origin !== 'service') return ok({ events: [], warnings: [`zabbix: ${origin} event left out`] }); // Z4
  if (isLiteral(fields, '{EVENT.ID}', 'eventid', 'id', 'entityid')) return ok({ events: [], warnings }); // the Test button
  const severity = severityOf(fields, config, warnings);
  const said = saidBy(fields);
  if (!said.ok) return said;
  const fingerprint = identityOf(fields, origin, config);
  if (fingerprint === null) return refused('trigger_id, or host and event_name, or event_id missing: nothing to know the problem by');
  if (pick(fields, 'truncated') !== '') warnings.push('zabbix: parameters were cut at 64 KB; some fields are missing');
  const end = said.value.find(({ muteUntil }) => muteUntil !== undefined)?.muteUntil;
  if (end !== undefined && suppressedUntil(end, fields, delivery.receivedAt, config) === null)
    warnings.push(`zabbix: suppressed until ${seen(end)}, which is no date like 2026.11.22 00:00:00: not taken as suppressed`);
  const events = said.value.map((each) => boundEvent(eventOf({ fields, delivery, config, origin, fingerprint, severity }, each)));
  return ok({ events, warnings });
}

/** A number, or a name in its place. Names can be changed in Zabbix: what the operator says of one is stronger than its number. */
function severityOf(fields: Fields, config: ZabbixConfig, warnings: string[]): Severity {
  const number = pick(fields, 'eventnseverity');
  const name = pick(fields, 'eventseverity', 'severity', 'triggerseverity', 'priority', 'lineseverity');
  const known = severityReader(config.severities)(name) ?? byName(number) ?? byName(name);
  const taken = config.severityDefault ?? 'warning';
  if (known === null && (name || number) !== '') warnings.push(unknownSeverity('zabbix', name || number, taken));
  return known ?? taken;
}
