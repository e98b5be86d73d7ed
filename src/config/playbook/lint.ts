// What a playbook of the right shape must still not say: unknown actions, references to nothing, effects without care.
// Every complaint has its place and says what to write instead. Shapes are schema.ts, defaults build.ts.
import { hour, second } from '../../core/time.ts';
import { parseRate, parseShare, parseSpan } from '../yaml/duration.ts';
import { below } from '../yaml/pointer.ts';
import {
  playbookDefaults,
  shareWindowMs,
  type RawDiagnosis,
  type RawParam,
  type RawPlaybook,
  type RawProof,
  type RawStep,
} from './build.ts';
import { callFaults, templateFaults } from './call.ts';
import { expressionFaults, type Scope } from './expressions.ts';
import { spanFaults, type Fault, type PlaybookDeps } from './fault.ts';
import { sees } from './names.ts';

/** Everything wrong with a document that PlaybookSchema accepts. */
export function playbookFaults(raw: RawPlaybook, deps: PlaybookDeps): readonly Fault[] {
  const ids = [...(raw.diagnose ?? []).map((item) => item.id), ...raw.steps.map((item) => item.id)];
  const scopeAt = (roots: Scope['roots'], ran: number): Scope => ({
    roots,
    params: raw.params ?? {},
    done: ids.slice(0, ran).filter((id) => id !== undefined),
    later: ids.slice(ran).filter((id) => id !== undefined),
  });
  const looks = raw.diagnose?.length ?? 0;
  const all = scopeAt(sees.work, ids.length);
  return [
    ...duplicates(ids, looks),
    ...raw.on.flatMap((trigger, index) => triggerFaults(trigger, `/on/${index}`, scopeAt(sees.trigger, 0), deps)),
    ...Object.entries(raw.params ?? {}).flatMap(([name, param]) =>
      paramFaults(param, below('/params', name), scopeAt(sees.param, 0), deps),
    ),
    ...targetFaults(raw.target.resource, scopeAt(sees.target, 0), deps),
    ...guardFaults(raw.guards, raw.target),
    ...(raw.diagnose ?? []).flatMap((item, index) => diagnosisFaults(item, `/diagnose/${index}`, scopeAt(sees.work, index), deps)),
    ...raw.steps.flatMap((step, index) =>
      stepFaults(
        step,
        `/steps/${index}`,
        { before: scopeAt(sees.work, looks + index), after: scopeAt(sees.work, looks + index + 1) },
        deps,
      ),
    ),
    ...verifyFaults(raw, all, deps),
    ...spanFaults(raw.escalate?.after, '/escalate/after', { min: 0, max: 72 * hour }),
    ...(raw.escalate?.say === undefined ? [] : templateFaults(raw.escalate.say, '/escalate/say', all, deps.expressions)),
  ];
}

function duplicates(ids: readonly (string | undefined)[], looks: number): readonly Fault[] {
  return ids.flatMap((id, at) => {
    if (id === undefined || ids.indexOf(id) === at) return [];
    const pointer = at < looks ? `/diagnose/${at}/id` : `/steps/${at - looks}/id`;
    return [{ pointer, message: `expected every id once, seen "${id}" a second time: rename one` }];
  });
}

function triggerFaults(trigger: RawPlaybook['on'][number], pointer: string, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  const faults: Fault[] = [...spanFaults(trigger.for, `${pointer}/for`, { min: 0, max: 24 * hour })];
  if ((trigger.alert === undefined) === (trigger.incident === undefined)) {
    faults.push({ pointer, message: 'expected either "alert" or "incident" with a condition, seen both or none' });
  }
  for (const kind of ['alert', 'incident'] as const) {
    const text = trigger[kind];
    if (text !== undefined) faults.push(...conditionFaults(text, `${pointer}/${kind}`, scope, deps));
  }
  return faults;
}

function paramFaults(param: RawParam, pointer: string, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  const faults: Fault[] = [];
  const fits = (value: unknown): boolean =>
    param.type === 'integer' ? Number.isSafeInteger(value) : typeof value === (param.type === 'number' ? 'number' : param.type);
  if (param.from === undefined && param.default === undefined) {
    faults.push({ pointer, message: 'expected "from" or "default", seen neither: this parameter could never have a value' });
  }
  if (param.from !== undefined) {
    faults.push(
      ...expressionFaults(param.from, scope, deps.expressions, 'value').map((message) => ({ pointer: `${pointer}/from`, message })),
    );
  }
  if (param.default !== undefined && !fits(param.default)) {
    faults.push({ pointer: `${pointer}/default`, message: `expected ${param.type}, seen ${typeof param.default}` });
  } else if (param.default !== undefined && param.oneOf !== undefined && !param.oneOf.includes(param.default)) {
    faults.push({ pointer: `${pointer}/default`, message: 'expected one of the values of oneOf, seen another' });
  }
  param.oneOf?.forEach((value, index) => {
    if (!fits(value)) faults.push({ pointer: `${pointer}/oneOf/${index}`, message: `expected ${param.type}, seen ${typeof value}` });
  });
  for (const key of ['pattern', 'maxLength'] as const) {
    if (param[key] !== undefined && param.type !== 'string') {
      faults.push({
        pointer: `${pointer}/${key}`,
        message: `expected ${key} on a string only, seen it on type ${param.type}: write oneOf`,
      });
    }
  }
  const why = param.pattern === undefined ? null : deps.expressions.patternProblem(param.pattern);
  if (why !== null) faults.push({ pointer: `${pointer}/pattern`, message: patternFault(param.pattern ?? '', why) });
  return faults;
}

/** What looks around or back cannot be linear; all else that is refused is a slip of the pen, or too long. */
function patternFault(pattern: string, why: string): string {
  const isNotLinear = /\(\?<?[=!]|\(\?>|\\[1-9]|\\k<|[*+?}]\+/.test(pattern);
  return isNotLinear
    ? `expected a linear-time pattern (RE2), seen one that is not: ${why}`
    : `expected a regular expression that can be read (RE2), seen something else: ${why}`;
}

function targetFaults(resource: string, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  const pointer = '/target/resource';
  if (resource.trim() === '' || resource.includes('*')) {
    return [{ pointer, message: `expected the one thing that is acted on, seen "${resource}": empty or * never means all` }];
  }
  return templateFaults(resource, pointer, scope, deps.expressions);
}

function guardFaults(guards: RawPlaybook['guards'], target: RawPlaybook['target']): readonly Fault[] {
  return [
    ...spanFaults(guards?.cooldown, '/guards/cooldown', { min: 0, max: 720 * hour }),
    ...spanFaults(guards?.approve?.within, '/guards/approve/within', { min: 30 * second, max: 24 * hour }),
    ...rateFaults(guards?.attempts, '/guards/attempts', '3 per 6h'),
    ...radiusFaults(guards?.blastRadius, '/guards/blastRadius'),
    ...groupFaults(guards, target),
  ];
}

/** A number of targets, or a share of them, within a window that is one. */
export function radiusFaults(radius: string | undefined, pointer: string): readonly Fault[] {
  return parseShare(radius ?? '', shareWindowMs) === null ? rateFaults(radius, pointer, '10 per 10m') : [];
}

/** What is a share, or is to stay, needs something that it is a part of. */
function groupFaults(
  { blastRadius = '', keepHealthy }: NonNullable<RawPlaybook['guards']> = {},
  { group }: RawPlaybook['target'],
): readonly Fault[] {
  if (group !== undefined) return [];
  const expected = 'expected target.group beside it, the name of a group whose members quench.yaml counts, seen none';
  return [
    ...(blastRadius.includes('%') ? [{ pointer: '/guards/blastRadius', message: expected }] : []),
    ...(keepHealthy === undefined ? [] : [{ pointer: '/guards/keepHealthy', message: expected }]),
  ];
}

function rateFaults(rate: string | undefined, pointer: string, example: string): readonly Fault[] {
  const bad = rate !== undefined && rate !== 'none' && parseRate(rate) === null;
  return bad ? [{ pointer, message: `expected a rate such as "${example}", seen "${rate}"` }] : [];
}

function diagnosisFaults(item: RawDiagnosis, pointer: string, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  if (item.check !== undefined) {
    const stray = (['id', 'uses', 'with', 'timeout', 'secret', 'continueOnError'] as const).filter((key) => item[key] !== undefined);
    return [
      ...conditionFaults(item.check, `${pointer}/check`, scope, deps),
      ...stray.map((key) => ({
        pointer: `${pointer}/${key}`,
        message: `expected a check alone, seen "${key}" beside it: make it an entry of its own`,
      })),
    ];
  }
  if (item.id === undefined || item.uses === undefined) {
    return [{ pointer, message: 'expected a look (id, uses, with) or a check, seen neither' }];
  }
  const stray = (['otherwise', 'say'] as const).filter((key) => item[key] !== undefined);
  return [
    ...callFaults({ uses: item.uses, with: item.with ?? {}, timeout: item.timeout }, pointer, { scope, place: 'look' }, deps),
    ...stray.map((key) => ({
      pointer: `${pointer}/${key}`,
      message: `expected "${key}" beside a check, seen it beside a look: add a check after it`,
    })),
  ];
}

function stepFaults(
  step: RawStep,
  pointer: string,
  scopes: { readonly before: Scope; readonly after: Scope },
  deps: PlaybookDeps,
): readonly Fault[] {
  const scope = scopes.before;
  const faults: Fault[] = [
    ...callFaults({ uses: step.uses, with: step.with ?? {}, timeout: step.timeout }, pointer, { scope, place: 'effect' }, deps),
  ];
  if (step.when !== undefined) faults.push(...conditionFaults(step.when, `${pointer}/when`, scope, deps));
  if (step.undo !== undefined) {
    const { uses, with: input = {}, timeout } = step.undo;
    faults.push(...callFaults({ uses, with: input, timeout }, `${pointer}/undo`, { scope: scopes.after, place: 'effect' }, deps));
  }
  const effect = deps.actions.find((action) => action.name === step.uses)?.effect;
  if (step.retry !== undefined && effect === 'once' && step.unknown === undefined) {
    const message = `expected "unknown: stop" or "unknown: retry" in words, seen neither: ${step.uses} may have happened when no answer comes, and a retry would do it twice`;
    faults.push({ pointer: `${pointer}/retry`, message });
  }
  if (step.unknown === 'retry' && step.retry === undefined) {
    faults.push({ pointer: `${pointer}/unknown`, message: 'expected "retry: { times: … }" beside "unknown: retry", seen none' });
  }
  const [first, last] = (step.retry?.backoff ?? '').split(' to ').map((text) => parseSpan(text));
  if (step.retry?.backoff !== undefined && (first === null || last === null || (last !== undefined && (first ?? 0) > last))) {
    faults.push({
      pointer: `${pointer}/retry/backoff`,
      message: `expected a wait such as "5s to 60s", small before big, seen "${step.retry.backoff}"`,
    });
  }
  return faults;
}

function verifyFaults(raw: RawPlaybook, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  const verify = raw.verify ?? {};
  const faults: Fault[] = [
    ...spanFaults(verify.within, '/verify/within', { min: 5 * second, max: 24 * hour }),
    ...spanFaults(verify.every, '/verify/every', { min: second, max: hour }),
    ...spanFaults(verify.stableFor, '/verify/stableFor', { min: 0, max: 24 * hour }),
  ];
  if (verify.all !== undefined && verify.any !== undefined) {
    faults.push({ pointer: '/verify/any', message: 'expected either "all" or "any", seen both: keep one' });
  }
  const within = parseSpan(verify.within ?? '') ?? playbookDefaults.verify.withinMs;
  if ((parseSpan(verify.stableFor ?? '') ?? 0) >= within) {
    faults.push({ pointer: '/verify/stableFor', message: 'expected less than "within", seen as much or more: it could never be proven' });
  }
  if (verify.otherwise === 'rollback' && !raw.steps.some((step) => step.undo !== undefined)) {
    faults.push({
      pointer: '/verify/otherwise',
      message: 'expected a step with "undo", seen none: there is nothing to roll back; write escalate',
    });
  }
  for (const key of ['all', 'any'] as const) {
    verify[key]?.forEach((proof, index) => faults.push(...proofFaults(proof, `/verify/${key}/${index}`, scope, deps)));
  }
  return faults;
}

function proofFaults(proof: RawProof, pointer: string, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  if (proof === 'resolved') return [];
  return [
    ...callFaults({ uses: proof.uses, with: proof.with ?? {}, timeout: proof.timeout }, pointer, { scope, place: 'proof' }, deps),
    ...conditionFaults(proof.expect, `${pointer}/expect`, { ...scope, roots: sees.expect }, deps),
  ];
}

function conditionFaults(text: string, pointer: string, scope: Scope, deps: PlaybookDeps): readonly Fault[] {
  return expressionFaults(text, scope, deps.expressions, 'condition').map((message) => ({ pointer, message }));
}
