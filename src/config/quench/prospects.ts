// What a playbook that loads comes to under this very configuration: calls that the operator's lists would refuse, and work that lasts
// longer than a person is left waiting for it.
//   P1  What the lists refuse is told with the line to paste; `check` refuses it, a start says it. A playbook that cannot do without such a
//       call carries the reason (`unlisted`), and is refused before it begins.
//       The same is said of a share of a group whose members nobody counted (groups.ts).
//   P2  Work that outlasts the hold-off is a warning: the playbook works all the same, but somebody is paged meanwhile.
import type { ActionCall, Playbook } from '../../core/playbook/document.ts';
import { spanOf, type Millis } from '../../core/time.ts';
import type { ListFault } from '../../ports/action.ts';
import type { LoadedPlaybook } from '../playbook/playbooks.ts';
import { boundedBy, type Groups } from './groups.ts';
import type { Loading } from './loading.ts';

/** Why the lists refuse a call, one fault for each thing that is on none. */
export type Permits = (call: ActionCall) => readonly ListFault[];

/** One call of a playbook, and whether a run can end well without it. */
interface Placed {
  readonly pointer: string;
  readonly name: string;
  readonly call: ActionCall;
  readonly isNeeded: boolean;
}

/** What a playbook is judged under. */
export interface Under {
  readonly holdOffMs: Millis;
  readonly permits: Permits;
  readonly groups: Groups;
}

/** The playbook, with its shares as numbers and with why it cannot act; tells what is wrong with it here. */
export function judged(loading: Loading, { playbook: written, file }: LoadedPlaybook, { holdOffMs, permits, groups }: Under): Playbook {
  const { playbook, fault: unbounded } = boundedBy(groups, written);
  if (playbook.mode === 'off') return playbook;
  for (const [pointer, message] of lastings(playbook, holdOffMs)) loading.deps.warn?.(file.problem(pointer, message));
  if (unbounded !== null) loading.deps.unsafe?.tell(file.problem(unbounded.pointer, unbounded.message));
  let unlisted = unbounded?.says ?? null;
  for (const { pointer, name, call, isNeeded } of callsOf(playbook)) {
    for (const fault of permits(call)) {
      loading.deps.unsafe?.tell(file.problem(`${pointer}/with${fault.pointer}`, fault.message));
      if (isNeeded) unlisted ??= `${name}: ${fault.says}`;
    }
  }
  return unlisted === null ? playbook : { ...playbook, unlisted };
}

function callsOf(playbook: Playbook): readonly Placed[] {
  const placed: Placed[] = [];
  for (const [index, item] of playbook.diagnose.entries()) {
    if (item.kind === 'look')
      placed.push({ pointer: `/diagnose/${index}`, name: `look ${item.id}`, call: item, isNeeded: !item.continueOnError });
  }
  for (const [index, step] of playbook.steps.entries()) {
    const isNeeded = step.when === null && !step.continueOnError;
    placed.push({ pointer: `/steps/${index}`, name: `step ${step.id}`, call: step, isNeeded });
    if (step.undo !== null)
      placed.push({
        pointer: `/steps/${index}/undo`,
        name: `undo of ${step.id}`,
        call: step.undo,
        isNeeded: playbook.verify.otherwise === 'rollback',
      });
  }
  for (const [index, proof] of playbook.verify.proofs.entries()) {
    const isNeeded = playbook.verify.require === 'all' || playbook.verify.proofs.length === 1;
    if (proof.kind === 'probe')
      placed.push({ pointer: `/verify/${playbook.verify.require}/${index}`, name: `proof ${index + 1}`, call: proof, isNeeded });
  }
  return placed;
}

/** What lasts longer than the first page waits, by its place. P2 */
function lastings(playbook: Playbook, holdOffMs: Millis): readonly (readonly [string, string])[] {
  const { afterMs } = playbook.escalate;
  const bound = afterMs ?? holdOffMs;
  const from = afterMs === undefined ? `holdOff ${spanOf(holdOffMs)}` : `escalate.after ${spanOf(afterMs)}`;
  const found: (readonly [string, string])[] = [];
  for (const [index, { forMs }] of playbook.triggers.entries()) {
    if (forMs <= bound) continue;
    const message = `a person is paged before it acts: for ${spanOf(forMs)} is longer than ${from}; write escalate: { after: ${spanOf(roomFor(forMs + longestOf(playbook)))} }`;
    found.push([`/on/${index}/for`, message]);
  }
  const forMs = Math.max(0, ...playbook.triggers.map((trigger) => trigger.forMs));
  const longest = forMs + longestOf(playbook);
  // Others act when a person says so, or never: nobody waits for them.
  if (playbook.mode !== 'auto' || longest <= bound || found.length > 0) return found;
  const message = `a person may be paged while it works: it can take ${spanOf(longest)} (for, looks, steps and verify.within), longer than ${from}; write escalate: { after: ${spanOf(roomFor(longest))} } to wait for it`;
  return [['', message]];
}

/** The longest that a run can take until it is proved, every timeout spent. */
function longestOf({ diagnose, steps, verify }: Playbook): Millis {
  let sum = verify.withinMs;
  for (const item of diagnose) sum += item.kind === 'look' ? item.timeoutMs : 0;
  for (const { timeoutMs, retry } of steps) {
    sum += timeoutMs * (retry.times + 1);
    for (let again = 0; again < retry.times; again += 1) sum += Math.min(retry.waitMaxMs, retry.waitMs * retry.factor ** again);
  }
  return sum;
}

/** The next full minute. */
function roomFor(span: Millis): Millis {
  return Math.ceil(span / 60_000) * 60_000;
}
