// Asks a Zabbix server which problems are open, by its JSON-RPC API (6.0 to 7.x): problem.get, and trigger.get for host and names.
// Each becomes what our media type would have sent of it.
//   R1  A problem whose trigger, item or host is disabled is not open: Zabbix sends no recovery for it.
//   R2  Problems are in the database: the server forgets none over a restart.
import { ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { OpenAlert, OpenAlerts, OpenAnswer } from '../../src/ports/open-alerts.ts';
import { openMax } from '../kit/ask.ts';
import { isObject, textOf, type JsonObject } from '../kit/event.ts';
import type { AskDeps } from '../kit/kinds.ts';
import { openSession, type RpcCall, type ZabbixAccount } from './rpc.ts';

export interface ZabbixAsking extends ZabbixAccount {
  /** As the media type sends it (`{$QUENCH.INSTANCE}`), else the `instance` of the endpoint's options counts. */
  readonly instance?: string;
}

export function zabbixProblems(asking: ZabbixAsking, deps: AskDeps): OpenAlerts {
  return {
    async ask(askedAt, signal) {
      const session = await openSession(asking, deps.http, signal);
      if (!session.ok) return session;
      const { call, close } = session.value;
      try {
        return await problemsOf(call, asking.instance ?? '', askedAt);
      } finally {
        await close();
      }
    },
  };
}

async function problemsOf(call: RpcCall, instance: string, askedAt: Instant): Promise<Result<OpenAnswer, string>> {
  const problems = await call('problem.get', {
    output: ['eventid', 'objectid', 'clock', 'name', 'severity', 'opdata', 'suppressed', 'r_eventid'],
    source: 0,
    object: 0,
    selectTags: 'extend',
    sortfield: ['eventid'],
    sortorder: 'DESC',
    limit: openMax + 1,
  });
  if (!problems.ok) return problems;
  const listed = problems.value.filter((problem) => ['0', ''].includes(textOf(problem['r_eventid'])));
  const triggers = await triggersOf(call, [...new Set(listed.map((problem) => textOf(problem['objectid'])))]);
  if (!triggers.ok) return triggers;
  const alerts = listed.slice(0, openMax).flatMap((problem): OpenAlert[] => {
    const trigger = triggers.value.get(textOf(problem['objectid']));
    if (trigger === undefined) return []; // R1
    const ours = textOf(problem['suppressed']) !== '1';
    return [{ delivery: deliveryOf(problem, trigger, instance, askedAt), ours }];
  });
  const partial = problems.value.length > openMax ? `it has more than ${openMax} problems` : null;
  return ok({ alerts, unsure: [], partial, asOf: askedAt, since: null }); // R2
}

const triggersAtOnce = 1_000;

/** Of the monitored ones, by id. */
async function triggersOf(call: RpcCall, ids: readonly string[]): Promise<Result<ReadonlyMap<string, JsonObject>, string>> {
  const found = new Map<string, JsonObject>();
  for (let from = 0; from < ids.length; from += triggersAtOnce) {
    const page = await call('trigger.get', {
      output: ['triggerid', 'description', 'comments'],
      triggerids: ids.slice(from, from + triggersAtOnce),
      monitored: true,
      selectHosts: ['hostid', 'host', 'name'],
    });
    if (!page.ok) return page;
    for (const trigger of page.value) found.set(textOf(trigger['triggerid']), trigger);
  }
  return ok(found);
}

function deliveryOf(problem: JsonObject, trigger: JsonObject, instance: string, receivedAt: Instant): OpenAlert['delivery'] {
  const host = Array.isArray(trigger['hosts']) && isObject(trigger['hosts'][0]) ? trigger['hosts'][0] : {};
  const fields = {
    event_source: '0',
    event_value: '1',
    event_update_status: '0',
    event_id: textOf(problem['eventid']),
    event_name: textOf(problem['name']),
    event_nseverity: textOf(problem['severity']),
    event_opdata: textOf(problem['opdata']),
    suppressed: textOf(problem['suppressed']),
    event_timestamp: textOf(problem['clock']),
    asked_timestamp: String(Math.floor(receivedAt / 1_000)),
    event_tags_json: JSON.stringify(problem['tags'] ?? []),
    host_host: textOf(host['host']),
    host_name: textOf(host['name']),
    trigger_id: textOf(problem['objectid']),
    trigger_name_orig: textOf(trigger['description']),
    trigger_description: textOf(trigger['comments']),
    ...(instance === '' ? {} : { instance }),
  };
  return { headers: {}, path: '', body: JSON.stringify(fields), receivedAt };
}
