// What a Nagios notification or event handler claims: the state that was measured, and the type of the notice.
//   N3  A custom notification, comment, downtime or flapping notice opens nothing, and clears only where it ends what held notifications
//       back and the state is well: the recovery in between was never sent.
//   N4  The state that was measured decides; a type that contradicts it is a warning.
import type { Claim } from '../../src/core/alert/event.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import { pick, type Fields } from './fields.ts';

export type Kind = 'host' | 'service';

export interface State {
  readonly word: string;
  readonly well: boolean;
  readonly severity: Severity;
}

const states: ReadonlyMap<string, State> = new Map(
  [
    { word: 'OK', well: true, severity: 'info' },
    { word: 'UP', well: true, severity: 'info' },
    { word: 'WARNING', well: false, severity: 'warning' },
    // UNKNOWN is a check that could not tell: someone should look, but nothing is known to be broken.
    { word: 'UNKNOWN', well: false, severity: 'warning' },
    { word: 'UNREACHABLE', well: false, severity: 'error' },
    { word: 'CRITICAL', well: false, severity: 'critical' },
    { word: 'DOWN', well: false, severity: 'critical' },
  ].map((state) => [state.word, state as State]),
);

/** What a notification type says beside the state. `mute`: null lifts; absent says nothing. */
export interface Notice {
  readonly says: 'problem' | 'recovery' | 'acknowledged' | 'noted';
  readonly mute?: string | null;
  readonly note?: string;
}

/** Types by letters alone: Icinga 2 writes `DowntimeRemoved` where Nagios writes `DOWNTIMECANCELLED`. */
export const notices: ReadonlyMap<string, Notice> = new Map<string, Notice>([
  ['PROBLEM', { says: 'problem' }],
  ['RECOVERY', { says: 'recovery' }],
  ['ACKNOWLEDGEMENT', { says: 'acknowledged', note: 'acknowledged' }],
  ['CUSTOM', { says: 'noted', note: 'custom notification' }],
  ['DOWNTIMESTART', { says: 'noted', mute: 'downtime', note: 'downtime began' }],
  ['DOWNTIMEEND', { says: 'noted', mute: null, note: 'downtime ended' }],
  ['DOWNTIMECANCELLED', { says: 'noted', mute: null, note: 'downtime cancelled' }],
  ['DOWNTIMEREMOVED', { says: 'noted', mute: null, note: 'downtime cancelled' }],
  ['FLAPPINGSTART', { says: 'noted', mute: 'flapping', note: 'flapping began' }],
  ['FLAPPINGSTOP', { says: 'noted', mute: null, note: 'flapping ended' }],
  ['FLAPPINGEND', { says: 'noted', mute: null, note: 'flapping ended' }],
  ['FLAPPINGDISABLED', { says: 'noted', mute: null, note: 'flap detection switched off' }],
]);

export function kindOf(fields: Fields, service: string): Kind {
  const what = pick(fields, 'what', 'pdnagiosobject', 'object').toLowerCase();
  if (what === 'host' || what === 'service') return what;
  return service === '' ? 'host' : 'service';
}

/** The state as a word or as a number; in an Icinga check result of a host, 0 and 1 both mean up. */
export function stateOf(fields: Fields, kind: Kind): State | undefined {
  const result = pick(fields, 'checkresultstate');
  const given = pick(fields, `${kind}state`, 'state', `${kind}stateid`, 'stateid') || result;
  const named = states.get(given.toUpperCase());
  if (named !== undefined) return named;
  const isResult = given === result && result !== '';
  if (!/^[0-3]$/.test(given)) return undefined;
  const numbered =
    kind === 'service'
      ? ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN']
      : ['UP', isResult ? 'UP' : 'DOWN', isResult ? 'DOWN' : 'UNREACHABLE', 'DOWN'];
  return states.get(numbered[Number(given)] ?? '');
}

export function claimOf(said: Notice | undefined, state: State | undefined, warnings: string[]): Claim {
  if (said?.says === 'noted' && said.mute === null && state?.well === true) return 'cleared'; // N3
  if (said?.says === 'acknowledged' || said?.says === 'noted') return said.says; // N3
  const told = said === undefined ? undefined : said.says === 'problem' ? 'firing' : 'cleared';
  if (state === undefined) {
    if (told === 'firing') warnings.push('nagios: problem without a state that Nagios knows; taken as error');
    return told ?? 'noted';
  }
  const measured = state.well ? 'cleared' : 'firing';
  if (told !== undefined && told !== measured)
    warnings.push(`nagios: notification type and state ${state.word} contradict; the state decides`); // N4
  return measured;
}
