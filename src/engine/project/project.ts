// Facts into the read model: what the API and the console show. Rebuildable; decides nothing.
//   J1  A patch is a function of its fact; applying a fact twice changes nothing.
import type { Alert } from '../../core/alert/row.ts';
import type { Json } from '../../core/json.ts';
import type { Fact } from '../../core/records.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cursors } from '../../ports/cursors.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { TimelineEntry, ViewPatch, Views } from '../../ports/views.ts';
import { lineOf } from '../../readmodel/timeline.ts';
import { createTail, type Tail } from '../tail.ts';

const factsPerRead = 512;
const cursorName = 'project';

export interface ProjectDeps {
  readonly partition: number;
  readonly log: EventLog;
  readonly views: Views;
  readonly cursors: Cursors;
  readonly clock: Clock;
  /** Resolves when there is time for the read model: decisions come first. */
  readonly patience: () => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

export interface Project {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Facts on the log that are not shown yet. */
  behind(): Promise<number>;
}

export function createProject(deps: ProjectDeps): Project {
  const { partition } = deps;
  let shown = 0;
  const placed = async (offset: number): Promise<void> => {
    await deps.cursors.save(cursorName, partition, offset);
    shown = offset;
  };
  const tail: Tail = createTail({ ...deps, batch: factsPerRead, placed }, async (facts, end) => {
    await deps.patience();
    const patches = coalesced(facts.flatMap((fact) => patchesOf(fact, partition)));
    const entries = facts.map(entryOf).filter((entry) => entry !== null);
    await deps.views.apply({ cursor: cursorName, partition, offset: end, patches, entries });
    shown = end;
  });
  return {
    async start() {
      shown = await deps.cursors.load(cursorName, partition);
      tail.start(shown);
    },
    stop: () => tail.stop(),
    behind: async () => Math.max(0, (await deps.log.end('facts', partition)) - shown),
  };
}

/** Patches of one document become one where that comes to the same: in a busy second most facts concern few documents. */
export function coalesced(patches: readonly ViewPatch[]): readonly ViewPatch[] {
  const done: ViewPatch[] = [];
  const open = new Map<string, ViewPatch>();
  for (const patch of patches) {
    const key = `${patch.kind}|${patch.id}`;
    const before = open.get(key);
    const joined = before === undefined ? patch.patch : onto(before.patch, patch.patch);
    if (before !== undefined && joined === null) done.push(before);
    if (before === undefined || joined === null) open.set(key, patch);
    else open.set(key, { ...before, ...patch, ...(before.at === undefined ? {} : { at: before.at }), patch: joined });
  }
  return [...done, ...open.values()];
}

/** One merge patch after another as one, or null where none says the same: taking an object away and then giving members anew. */
function onto(before: ViewPatch['patch'], after: ViewPatch['patch']): ViewPatch['patch'] | null {
  const joined: { [key: string]: Json } = { ...before };
  for (const [key, value] of Object.entries(after)) {
    const held = joined[key];
    if (held !== undefined && !isObject(held) && isObject(value)) return null;
    const both = isObject(held) && isObject(value) ? onto(held, value) : value;
    if (both === null && value !== null) return null;
    joined[key] = both;
  }
  return joined;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entryOf(fact: Fact): TimelineEntry | null {
  const line = lineOf(fact);
  return line === null ? null : { ...line, scope: fact.scope, seq: fact.seq, at: fact.at, type: fact.type };
}

export function alertId(scope: string, fingerprint: string): string {
  return `${fingerprint}.${scope}`;
}

/** What a fact changes in the read model. */
export function patchesOf(fact: Fact, partition: number): readonly ViewPatch[] {
  const { scope, at } = fact;
  const one = (kind: ViewPatch['kind'], id: string, rest: Omit<ViewPatch, 'kind' | 'id' | 'scope'>): readonly ViewPatch[] => [
    { kind, id, scope, ...rest },
  ];
  switch (fact.type) {
    case 'AlertMerged':
      if (fact.count === 0) return [];
      if (fact.alert === null)
        return one('alert', alertId(scope, fact.fingerprint), {
          at,
          patch: { count: fact.count, observedAt: fact.observedAt, seenAt: at },
        });
      return one('alert', alertId(scope, fact.fingerprint), { at, state: fact.alert.state, patch: docOf(fact.alert) });
    case 'AlertDecided': {
      if (fact.change === 'late') return [];
      const { decision, reason, incident } = fact;
      const score = fact.score === null ? {} : { score: { value: fact.score.value, terms: fact.score.terms.map((term) => ({ ...term })) } };
      return one('alert', alertId(scope, fact.fingerprint), {
        of: incident,
        patch: { decision, reason, incident, input: `${partition}:${fact.offset}`, ...score },
      });
    }
    case 'AlertMuted':
      return one('alert', alertId(scope, fact.fingerprint), { patch: { muted: fact.reason === null ? null : { ...fact.reason } } });
    case 'AlertFlapping':
      return one('alert', alertId(scope, fact.fingerprint), { patch: { flapping: fact.flapping } });
    case 'AlertJoined':
      return [
        ...one('alert', alertId(scope, fact.fingerprint), {
          of: fact.incident,
          patch: { incident: fact.incident, evidence: { ...fact.evidence } },
        }),
        ...one('incident', fact.incident, { patch: { members: fact.members } }),
      ];
    case 'IncidentOpened':
      return one('incident', fact.incident, {
        at,
        state: 'open',
        patch: { id: fact.incident, title: fact.title, severity: fact.severity, storm: fact.storm, openedAt: at },
      });
    case 'IncidentChanged':
      return one('incident', fact.incident, {
        patch: {
          title: fact.title,
          severity: fact.severity,
          root: fact.root,
          score: { value: fact.score.value, terms: fact.score.terms.map((term) => ({ ...term })) },
        },
      });
    case 'IncidentNested':
      return one('incident', fact.incident, { patch: { parent: fact.parent } });
    case 'IncidentDecided':
      return one('incident', fact.incident, { patch: { decision: fact.decision, reason: fact.reason } });
    case 'IncidentAcknowledged':
      return one('incident', fact.incident, { state: 'acknowledged', patch: { acknowledgedBy: fact.by, acknowledgedAt: at } });
    case 'IncidentResolved':
      return one('incident', fact.incident, { state: 'resolved', patch: { resolvedBy: fact.by, resolvedWho: fact.who, resolvedAt: at } });
    case 'IncidentReopened':
      return one('incident', fact.incident, { state: 'open', patch: { resolvedBy: null, resolvedWho: null, resolvedAt: null } });
    case 'SilenceChanged':
      return one('silence', fact.silence.id, {
        at,
        state: fact.state,
        patch: { ...fact.silence, matchers: fact.silence.matchers.map((matcher) => ({ ...matcher })) },
      });
    case 'FreezeChanged': {
      const { by = null, reason = null } = fact.frozen ?? {};
      return one('partition', `${partition}`, { at, state: fact.frozen === null ? 'open' : 'frozen', patch: { by, reason } });
    }
    default:
      return workPatches(fact, one);
  }
}

type One = (kind: ViewPatch['kind'], id: string, rest: Omit<ViewPatch, 'kind' | 'id' | 'scope'>) => readonly ViewPatch[];

function workPatches(fact: Fact, one: One): readonly ViewPatch[] {
  const { at } = fact;
  switch (fact.type) {
    case 'RunStarted':
      return one('run', fact.run, {
        at,
        state: 'working',
        of: fact.incident,
        patch: {
          id: fact.run,
          incident: fact.incident,
          playbook: fact.playbook.name,
          version: fact.playbook.version,
          digest: fact.playbook.digest,
          mode: fact.mode,
          target: fact.target,
          params: fact.params,
          startedAt: at,
          phase: 'diagnose',
        },
      });
    case 'RunRefused':
      return one('run', fact.run, {
        at,
        state: 'ended',
        of: fact.incident,
        patch: {
          id: fact.run,
          incident: fact.incident,
          playbook: fact.playbook,
          target: fact.target,
          end: 'refused',
          guard: fact.guard,
          reason: fact.reason,
          startedAt: at,
          endedAt: at,
        },
      });
    case 'ApprovalRequested':
      return [
        ...one('run', fact.run, { state: 'waiting', patch: { approvalUntil: fact.until } }),
        ...one('approval', fact.run, {
          at,
          state: 'waiting',
          of: fact.incident,
          patch: { run: fact.run, incident: fact.incident, until: fact.until },
        }),
      ];
    case 'ApprovalGiven':
      return [
        ...one('run', fact.run, { state: 'working', patch: { approvedBy: fact.approved ? fact.by : null } }),
        ...one('approval', fact.run, { state: 'ended', patch: { approved: fact.approved, by: fact.by, note: fact.note } }),
      ];
    case 'StepRequested':
      return one('run', fact.run, { patch: { call: fact.call } });
    case 'StepFinished':
      return one('run', fact.run, {
        patch: { call: null, steps: { [fact.call]: { outcome: fact.outcome.outcome, tookMs: fact.tookMs } } },
      });
    case 'RunMoved':
      return one('run', fact.run, { patch: { phase: fact.phase, why: fact.why } });
    case 'RunFinished':
      return one('run', fact.run, {
        state: 'ended',
        patch: { phase: 'ended', end: fact.end, reason: fact.reason, endedAt: at, call: null },
      });
    case 'PageOpened':
      return one('page', fact.page, {
        at,
        state: 'ringing',
        of: fact.incident,
        patch: { id: fact.page, incident: fact.incident, ladder: fact.ladder.name, title: fact.title, reason: fact.reason, openedAt: at },
      });
    case 'PageRang':
      return one('page', fact.page, { state: 'ringing', patch: { round: fact.round, rung: fact.rung, ring: fact.ring } });
    case 'NotifyFinished':
      return one('page', fact.page, { patch: { notified: { [fact.notification]: answer(fact) } } });
    case 'PageAcked':
      return one('page', fact.page, { state: 'acked', patch: { ackedBy: fact.by, ackedVia: fact.via, ackedAt: at } });
    case 'PageClosed':
      return one('page', fact.page, { state: 'closed', patch: { closedAt: at, why: fact.why } });
    default:
      return [];
  }
}

function answer(fact: Extract<Fact, { type: 'NotifyFinished' }>): Json {
  return { notifier: fact.notifier, outcome: fact.outcome.outcome, detail: fact.outcome.detail, attempt: fact.attempt, at: fact.at };
}

/** The alert as the API shows it; keys with null are left out by the merge. */
function docOf(alert: Alert): { readonly [key: string]: Json } {
  return { ...alert, entity: { ...alert.entity }, links: alert.links.map((link) => ({ ...link })) };
}
