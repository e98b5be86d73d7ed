// Operators who do things at random moments, with what they can see: acknowledge, resolve, approve, deny, freeze, silence, cancel, remark.
import { partOf } from '../../src/core/run/row.ts';
import { minute, second } from '../../src/core/time.ts';
import type { Silence } from '../../src/core/mute/facts.ts';
import type { Intake } from '../../src/engine/intake/intake.ts';
import type { NewInput } from '../../src/engine/intake/stamped-log.ts';
import type { SimClock } from './clock.ts';
import type { Ledger } from './ledger.ts';
import { troubleNames } from './policy.ts';
import type { Random } from './random.ts';

export interface PeopleParts {
  readonly random: Random;
  readonly clock: SimClock;
  readonly ledger: Ledger;
  readonly intake: () => Intake | null;
}

export interface People {
  act(): void;
  /** Takes an incident, silences its team, or stops everything, while something is about to be done for it. */
  interrupt(scope: string, incident: string): void;
  /** Takes an incident. */
  take(scope: string, incident: string): void;
  /** Stops everything for a while. */
  freeze(): void;
  /** Resolves by hand every incident that is still open. */
  tidy(): void;
  /** Somebody lifts the freeze that may be on. */
  thaw(): void;
}

export function createPeople({ random, clock, ledger, intake }: PeopleParts): People {
  let count = 0;

  function submit(input: NewInput, by: string): void {
    intake()
      ?.submit(input)
      .then(
        () => ledger.accepted.add(by),
        () => {},
      );
  }

  function incidents(): { readonly id: string; readonly scope: string }[] {
    return [...ledger.desks.values()].flatMap(({ scope, tables }) =>
      [...tables.incidents.rows.values()].filter((incident) => incident.state !== 'resolved').map(({ id }) => ({ id, scope })),
    );
  }

  function runs(phase: 'approval' | 'any'): { readonly id: string; readonly scope: string }[] {
    return [...ledger.desks.values()].flatMap(({ scope, tables }) =>
      [...tables.runs.rows.values()]
        .filter((run) => run.end === null && (phase === 'any' || partOf(run) === phase))
        .map(({ id }) => ({ id, scope })),
    );
  }

  function aboutIncident(by: string): void {
    const open = incidents();
    if (open.length === 0) return;
    const { id: incident, scope } = random.pick(open);
    const what = random.int(0, 3);
    if (what < 2) submit({ type: 'Acked', scope, incident, by, via: 'console' }, by);
    else if (what === 2) submit({ type: 'Resolved', scope, incident, by, via: 'console', note: 'done' }, by);
    else submit({ type: 'CommandGiven', scope, command: { name: 'note', incident, text: 'looking' }, by }, by);
  }

  function aboutRun(by: string): void {
    const asking = runs('approval');
    const any = runs('any');
    if (asking.length > 0 && random.chance(0.8)) {
      const { id: run, scope } = random.pick(asking);
      if (random.chance(0.7)) submit({ type: 'Approved', scope, run, by, via: 'console' }, by);
      else submit({ type: 'Denied', scope, run, by, via: 'console', note: 'not now' }, by);
    } else if (any.length > 0) {
      const { id: run, scope } = random.pick(any);
      submit({ type: 'CommandGiven', scope, command: { name: 'cancel', run }, by }, by);
    }
  }

  function silence(by: string): void {
    const team = random.pick(['a', 'b']);
    const id = `s${random.int(1, 2)}${team}`;
    silenceAll(by, { scope: `acme;team=${team}`, id, matchers: [{ name: 'alertname', op: '=', value: random.pick(troubleNames) }] });
  }

  function silenceAll(by: string, { scope, id, matchers }: Pick<Silence, 'id' | 'matchers'> & { readonly scope: string }): void {
    // People read a clock that is right: not one whose jump nobody believes yet.
    const { forward, believed } = ledger.moment();
    const startsAt = clock.now() - (forward - believed);
    const endsAt = random.chance(0.2) ? startsAt : startsAt + random.int(1, 6) * minute;
    const untilResolved = random.chance(0.5);
    submit({ type: 'SilenceSet', scope, silence: { id, matchers, startsAt, endsAt, untilResolved, by, comment: 'maintenance' } }, by);
  }

  function freeze(by: string): void {
    submit({ type: 'CommandGiven', scope: '*', command: { name: 'freeze', reason: 'unsure' }, by }, by);
    clock.after(random.int(20, 200) * second, () => submit({ type: 'CommandGiven', scope: '*', command: { name: 'thaw' }, by }, by));
  }

  function take(scope: string, incident: string, by = `person${(count += 1)}`): void {
    submit({ type: 'Acked', scope, incident, by, via: 'console' }, by);
  }

  return {
    act() {
      const by = `person${(count += 1)}`;
      const what = random.int(0, 9);
      if (what < 4) aboutRun(by);
      else if (what < 7) aboutIncident(by);
      else if (what < 9) silence(by);
      else freeze(by);
    },
    interrupt(scope, incident) {
      const by = `person${(count += 1)}`;
      if (random.chance(0.4)) freeze(by);
      else if (random.chance(0.2))
        silenceAll(by, { scope, id: `s3${scope.at(-1)}`, matchers: [{ name: 'alertname', op: '=~', value: '.*' }] });
      else take(scope, incident, by);
    },
    take,
    freeze: () => freeze(`person${(count += 1)}`),
    tidy() {
      for (const { id: incident, scope } of incidents()) {
        const by = `person${(count += 1)}`;
        submit({ type: 'Resolved', scope, incident, by, via: 'console', note: 'looked, and it is fine' }, by);
      }
    },
    thaw() {
      const by = `person${(count += 1)}`;
      submit({ type: 'CommandGiven', scope: '*', command: { name: 'thaw' }, by }, by);
    },
  };
}
