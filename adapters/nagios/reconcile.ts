// Asks a Nagios which hosts and services are in trouble: by its status file, or by the CGI statusjson.cgi over HTTP.
// Each becomes what the notification script would have sent of it. How the two are read is status.ts.
//   K1  What has not been checked since Nagios started is neither well nor in trouble: nothing is concluded about it.
//   K2  A problem in downtime, flapping or unconfirmed (SOFT) is open, but Nagios would not notify of it.
//   K3  A status file that is not written any more is no answer.
import { readFile, stat } from 'node:fs/promises';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import { second, type Instant, type Millis } from '../../src/core/time.ts';
import type { OpenAlerts, OpenAnswer } from '../../src/ports/open-alerts.ts';
import type { Delivery } from '../../src/ports/source.ts';
import { askJson, authorizationOf, below, openMax } from '../kit/ask.ts';
import { targetOf } from '../kit/http-client.ts';
import type { AskDeps } from '../kit/kinds.ts';
import { checkedObjects, objectsOfCgi, parseStatusFile, type CheckedObject, type NagiosStatus } from './status.ts';

export interface NagiosAsking {
  /** The file named by `status_file` of nagios.cfg; or `url`. */
  readonly statusFile?: string;
  /** Of the directory that holds statusjson.cgi. */
  readonly url?: string;
  readonly user?: string;
  readonly password?: string;
  /** As the script sends it (its setting `instance`): part of the identity. */
  readonly instance: string;
}

const fileBytesMax = 134_217_728;
/** Nagios writes the file every `status_update_interval` seconds: 10 in the sample configuration, 60 without it. */
const fileAgeMax: Millis = 120 * second;

export function nagiosProblems(asking: NagiosAsking, deps: AskDeps): OpenAlerts {
  return {
    async ask(askedAt, signal) {
      const status =
        asking.url === undefined ? await readStatus(asking.statusFile ?? '', askedAt) : await askCgi(asking, asking.url, deps, signal);
      return status.ok ? ok(answerOf(status.value, asking.instance, askedAt)) : status;
    },
  };
}

async function readStatus(path: string, askedAt: Instant): Promise<Result<NagiosStatus, string>> {
  try {
    const { size } = await stat(path);
    if (size > fileBytesMax) return fail(`nagios: the status file is larger than ${fileBytesMax / 1_048_576} MiB`);
    const status = parseStatusFile(await readFile(path, 'utf8'));
    if (status === null) return fail('nagios: expected a status file with info and programstatus, seen something else');
    const isStale = askedAt - status.asOf > fileAgeMax;
    return isStale ? fail('nagios: the status file was not written for two minutes: does Nagios run?') : ok(status); // K3
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return fail(`nagios: the status file cannot be read: ${code}`);
  }
}

async function askCgi(
  asking: NagiosAsking,
  address: string,
  { http }: AskDeps,
  signal: AbortSignal,
): Promise<Result<NagiosStatus, string>> {
  const secrets = asking.password === undefined ? [] : [asking.password];
  const answers: unknown[] = [];
  for (const query of [
    'programstatus',
    'hostlist&details=true&formatoptions=enumerate',
    'servicelist&details=true&formatoptions=enumerate',
  ]) {
    const url = below(targetOf(address, 'reconcile.url'), 'statusjson.cgi');
    url.search = `query=${query}`;
    const answer = await askJson(
      http,
      { vendor: 'nagios', method: 'GET', url, headers: authorizationOf(asking), body: '', secrets },
      signal,
    );
    if (!answer.ok) return answer;
    answers.push(answer.value);
  }
  const status = objectsOfCgi(answers);
  return status === null ? fail('nagios: expected the answers of statusjson.cgi with result type 0, seen something else') : ok(status);
}

function answerOf(status: NagiosStatus, instance: string, askedAt: Instant): OpenAnswer {
  const { open, unchecked } = checkedObjects(status);
  return {
    alerts: open.slice(0, openMax).map((object) => ({ delivery: deliveryOf(object, instance, askedAt), ours: wouldNotify(object) })),
    unsure: unchecked.map((object) => deliveryOf({ ...object, state: object.kind === 'host' ? 'DOWN' : 'UNKNOWN' }, instance, askedAt)), // K1
    partial: open.length > openMax ? `more than ${openMax} hosts and services are in trouble` : null,
    asOf: Math.min(status.asOf, askedAt),
    since: null,
  };
}

/** K2 */
function wouldNotify({ hard, downtimeDepth, isFlapping, notifies }: CheckedObject): boolean {
  return hard && downtimeDepth === 0 && !isFlapping && notifies;
}

function deliveryOf(object: CheckedObject, instance: string, receivedAt: Instant): Delivery {
  const { kind, host, service, state, hard, problemId, output, longOutput, perfdata, attempt, attemptsMax, lastCheck, lastChange } = object;
  const fields = {
    object: kind,
    host,
    ...(kind === 'service' ? { service } : {}),
    instance,
    state,
    state_type: hard ? 'HARD' : 'SOFT',
    problem_id: problemId,
    downtime_depth: String(object.downtimeDepth),
    output,
    long_output: longOutput,
    perfdata,
    attempt,
    max_attempts: attemptsMax,
    last_check: lastCheck,
    last_state_change: lastChange,
  };
  return { headers: {}, path: '', body: JSON.stringify(fields), receivedAt };
}
