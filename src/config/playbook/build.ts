// From a document of the right shape to the playbook that core runs: defaults filled in, spans as milliseconds.
// The defaults of playbook/v1 live here and nowhere else; what a document must not say is lint.ts.
import type { Json } from '../../core/json.ts';
import type {
  ActionCall,
  Diagnosis,
  Guards,
  Param,
  Playbook,
  PlaybookMode,
  Proving,
  SecretMark,
  Step,
  Template,
  Trigger,
  Verify,
} from '../../core/playbook/document.ts';
import { minute, second, type Millis } from '../../core/time.ts';
import { parsePercent, parseRate, parseShare, parseSpan } from '../yaml/duration.ts';
import { digestOf } from './digest.ts';

/** What a playbook says when it does not say. */
export const playbookDefaults = {
  mode: 'shadow',
  timeoutMs: 60 * second,
  guards: {
    cooldownMs: 5 * minute,
    attempts: { max: 3, perMs: 360 * minute },
    concurrency: 1,
    confidence: 0,
    approveWithinMs: 15 * minute,
  },
  verify: { withinMs: 10 * minute, everyMs: 10 * second, stableForMs: 0 },
  retry: { waitMs: 5 * second, factor: 2 },
  maxLength: 256,
} as const;

/** Of a share without a window. */
export const shareWindowMs = 10 * minute;

interface RawCall {
  readonly uses: string;
  readonly with?: Template;
  readonly timeout?: string;
  readonly secret?: SecretMark;
}

export interface RawStep extends RawCall {
  readonly id: string;
  readonly when?: string;
  readonly retry?: { readonly times: number; readonly backoff?: string; readonly factor?: number };
  readonly unknown?: 'stop' | 'retry';
  readonly continueOnError?: boolean;
  readonly undo?: RawCall;
}

export interface RawDiagnosis extends Partial<RawCall> {
  readonly id?: string;
  readonly continueOnError?: boolean;
  readonly check?: string;
  readonly otherwise?: 'end' | 'escalate';
  readonly say?: string;
}

export type RawProof = 'resolved' | (RawCall & { readonly expect: string });

/** A document that PlaybookSchema accepts. */
export interface RawPlaybook {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly owner: string;
  readonly mode?: PlaybookMode;
  readonly on: readonly { readonly alert?: string; readonly incident?: string; readonly for?: string }[];
  readonly params?: { readonly [name: string]: RawParam };
  readonly target: { readonly resource: string; readonly group?: string };
  readonly guards?: {
    readonly blastRadius?: string;
    readonly keepHealthy?: number | string;
    readonly cooldown?: string;
    readonly attempts?: string;
    readonly concurrency?: number;
    readonly confidence?: number;
    readonly approve?: { readonly within?: string };
  };
  readonly diagnose?: readonly RawDiagnosis[];
  readonly steps: readonly RawStep[];
  readonly verify?: {
    readonly within?: string;
    readonly every?: string;
    readonly stableFor?: string;
    readonly all?: readonly RawProof[];
    readonly any?: readonly RawProof[];
    readonly otherwise?: 'escalate' | 'rollback';
  };
  readonly escalate?: { readonly ladder?: string; readonly say?: string; readonly after?: string };
}

export interface RawParam {
  readonly type: Param['type'];
  readonly from?: string;
  readonly default?: string | number | boolean;
  readonly pattern?: string;
  readonly oneOf?: readonly Json[];
  readonly maxLength?: number;
}

/** The playbook of a document. The digest covers what will be done, so that a default written out changes nothing. */
export function buildPlaybook(raw: RawPlaybook): Playbook {
  const playbook: Omit<Playbook, 'digest'> = {
    name: raw.name,
    version: raw.version,
    summary: raw.summary,
    owner: raw.owner,
    mode: raw.mode ?? playbookDefaults.mode,
    triggers: raw.on.map(triggerOf),
    params: Object.fromEntries(Object.entries(raw.params ?? {}).map(([name, param]) => [name, paramOf(param)])),
    target: raw.target.resource,
    ...(raw.target.group === undefined ? {} : { group: raw.target.group }),
    guards: guardsOf(raw.guards ?? {}),
    diagnose: (raw.diagnose ?? []).map(diagnosisOf),
    steps: raw.steps.map(stepOf),
    verify: verifyOf(raw.verify ?? {}),
    escalate: {
      ladder: raw.escalate?.ladder ?? null,
      say: raw.escalate?.say ?? '',
      ...(raw.escalate?.after === undefined ? {} : { afterMs: spanOr(raw.escalate.after, 0) }),
    },
  };
  return { ...playbook, digest: digestOf(playbook) };
}

function triggerOf(raw: RawPlaybook['on'][number]): Trigger {
  return { on: raw.alert === undefined ? 'incident' : 'alert', when: raw.alert ?? raw.incident ?? 'false', forMs: spanOr(raw.for, 0) };
}

function paramOf(raw: RawParam): Param {
  return {
    type: raw.type,
    from: raw.from ?? null,
    fallback: raw.default ?? null,
    pattern: raw.pattern ?? null,
    maxLength: raw.maxLength ?? playbookDefaults.maxLength,
    oneOf: raw.oneOf ?? null,
  };
}

function guardsOf(raw: NonNullable<RawPlaybook['guards']>): Guards {
  const given = playbookDefaults.guards;
  return {
    cooldownMs: spanOr(raw.cooldown, given.cooldownMs),
    attempts: raw.attempts === undefined ? given.attempts : parseRate(raw.attempts),
    ...radiusOf(raw.blastRadius),
    ...(raw.keepHealthy === undefined ? {} : { healthy: healthyOf(raw.keepHealthy) }),
    concurrency: raw.concurrency ?? given.concurrency,
    confidence: raw.confidence ?? given.confidence,
    approveWithinMs: spanOr(raw.approve?.within, given.approveWithinMs),
  };
}

/** What a share comes to is known with the groups of a configuration (config/quench/groups.ts). */
export function radiusOf(raw: string | undefined): Pick<Guards, 'blastRadius' | 'blastShare'> {
  if (raw === undefined) return {};
  const blastShare = parseShare(raw, shareWindowMs);
  return blastShare === null ? { blastRadius: parseRate(raw) } : { blastShare };
}

export function healthyOf(raw: number | string): NonNullable<Guards['healthy']> {
  return typeof raw === 'number' ? { count: raw } : { percent: parsePercent(raw) ?? 100 };
}

function diagnosisOf(raw: RawDiagnosis): Diagnosis {
  if (raw.check !== undefined) {
    return {
      kind: 'check',
      check: raw.check,
      otherwise: raw.otherwise ?? 'escalate',
      say: raw.say ?? `the check did not hold: ${raw.check}`,
    };
  }
  return { kind: 'look', id: raw.id ?? '', continueOnError: raw.continueOnError ?? false, ...callOf({ ...raw, uses: raw.uses ?? '' }) };
}

function stepOf(raw: RawStep): Step {
  return {
    ...callOf(raw),
    id: raw.id,
    when: raw.when ?? null,
    retry: retryOf(raw.retry),
    onUnknown: raw.unknown ?? 'stop',
    continueOnError: raw.continueOnError ?? false,
    undo: raw.undo === undefined ? null : callOf(raw.undo),
  };
}

function retryOf(raw: RawStep['retry']): Step['retry'] {
  const [first, last] = (raw?.backoff ?? '').split(' to ');
  const waitMs = spanOr(first === '' ? undefined : first, playbookDefaults.retry.waitMs);
  return { times: raw?.times ?? 0, waitMs, factor: raw?.factor ?? playbookDefaults.retry.factor, waitMaxMs: spanOr(last, waitMs) };
}

function verifyOf(raw: NonNullable<RawPlaybook['verify']>): Verify {
  const given = playbookDefaults.verify;
  const proofs = raw.all ?? raw.any ?? ['resolved'];
  return {
    withinMs: spanOr(raw.within, given.withinMs),
    everyMs: spanOr(raw.every, given.everyMs),
    stableForMs: spanOr(raw.stableFor, given.stableForMs),
    require: raw.any === undefined ? 'all' : 'any',
    proofs: proofs.map(proofOf),
    otherwise: raw.otherwise ?? 'escalate',
  };
}

function proofOf(raw: RawProof): Proving {
  return raw === 'resolved' ? { kind: 'resolved' } : { kind: 'probe', expect: raw.expect, ...callOf(raw) };
}

function callOf(raw: RawCall): ActionCall {
  const timeoutMs = spanOr(raw.timeout, playbookDefaults.timeoutMs);
  return { uses: raw.uses, with: raw.with ?? {}, timeoutMs, ...(raw.secret === undefined ? {} : { secret: raw.secret }) };
}

function spanOr(text: string | undefined, fallback: Millis): Millis {
  return text === undefined ? fallback : (parseSpan(text) ?? fallback);
}
