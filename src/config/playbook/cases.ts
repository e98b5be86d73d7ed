// Test cases of playbooks: what arrives, what each action answers, and what the run must have done. Parsed and checked here only;
// running them on the engine in virtual time is `quench playbook test`.
import type { AlertEvent, Entity } from '../../core/alert/event.ts';
import type { Labels } from '../../core/alert/labels.ts';
import type { Severity } from '../../core/alert/severity.ts';
import { fail, ok, type Result } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { Playbook, PlaybookMode } from '../../core/playbook/document.ts';
import type { ActionOutcome } from '../../core/run/outcome.ts';
import { hour, type Millis } from '../../core/time.ts';
import { parseSpan } from '../yaml/duration.ts';
import { didYouMean, inOrder, type ConfigProblem } from '../yaml/problems.ts';
import { shapeProblems } from '../yaml/shape.ts';
import { below } from '../yaml/pointer.ts';
import { readYaml, type YamlFile } from '../yaml/yaml.ts';
import { CasesSchema, type CaseEnd } from './case-schema.ts';
import { digestOf } from './digest.ts';
import type { TextFile } from './playbooks.ts';

/** One scripted answer; `takesMs` passes before it comes. */
export interface CaseAnswer {
  readonly outcome: ActionOutcome;
  readonly takesMs: Millis;
}

export interface CaseCall {
  /** A step's or look's id, `proof1` … of verify, or `undo/<id>`. */
  readonly step: string;
  readonly uses: string;
  /** The rendered input, exactly. */
  readonly with: { readonly [name: string]: Json };
}

export interface PlaybookCase {
  readonly file: string;
  readonly playbook: string;
  readonly name: string;
  /** Events by the time at which they arrive, from 0; their own times are the same, so add the base to all. */
  readonly alerts: readonly { readonly atMs: Millis; readonly event: AlertEvent }[];
  /** Stands in for the playbook's own mode; null keeps it. */
  readonly mode: PlaybookMode | null;
  readonly approval: { readonly atMs: Millis; readonly approved: boolean } | null;
  /** Virtual time after which the case is judged. */
  readonly untilMs: Millis;
  /** Answers by step, attempt by attempt; the last one is given again. A step without any is answered `ok` with no output. */
  readonly answers: ReadonlyMap<string, readonly CaseAnswer[]>;
  readonly expected: {
    readonly ended: CaseEnd;
    /** Calls in their order; null when the case does not say. */
    readonly calls: readonly CaseCall[] | null;
    readonly paged: boolean;
  };
}

interface RawAlert {
  readonly at?: string;
  readonly claim?: AlertEvent['claim'];
  readonly source?: string;
  readonly name: string;
  readonly summary?: string;
  readonly severity?: Severity;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly entity?: Entity;
}

interface RawAnswer {
  readonly outcome: ActionOutcome['outcome'];
  readonly output?: { readonly [name: string]: Json };
  readonly error?: string;
  readonly detail?: string;
  readonly takes?: string;
}

interface RawCase {
  readonly name: string;
  readonly given: {
    readonly alerts: readonly RawAlert[];
    readonly mode?: PlaybookMode;
    readonly approval?: { readonly at: string; readonly approved: boolean };
    readonly until?: string;
  };
  readonly actions?: { readonly [step: string]: RawAnswer | readonly RawAnswer[] };
  readonly then: { readonly ended: PlaybookCase['expected']['ended']; readonly paged: boolean; readonly calls?: readonly CaseCall[] };
}

interface RawCases {
  readonly playbook: string;
  readonly cases: readonly RawCase[];
}

/** All cases of the files, checked against the playbooks they are for, or all problems. */
export function loadCases(
  files: readonly TextFile[],
  playbooks: readonly Playbook[],
): Result<readonly PlaybookCase[], readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const cases: PlaybookCase[] = [];
  for (const { file, text } of files) {
    const read = readYaml(file, text);
    if (!read.ok) {
      problems.push(...read.error);
      continue;
    }
    const shape = shapeProblems(read.value, CasesSchema, read.value.value);
    problems.push(...shape);
    if (shape.length > 0) continue;
    // CasesSchema accepted it.
    const raw = read.value.value as unknown as RawCases;
    const playbook = playbooks.find(({ name }) => name === raw.playbook);
    problems.push(...(playbook === undefined ? unknownPlaybook(read.value, raw, playbooks) : caseProblems(read.value, raw, playbook)));
    cases.push(...raw.cases.map((one) => caseOf(file, raw.playbook, one)));
  }
  return problems.length > 0 ? fail(inOrder(problems)) : ok(cases);
}

function unknownPlaybook(file: YamlFile, raw: RawCases, playbooks: readonly Playbook[]): readonly ConfigProblem[] {
  const known = playbooks.map(({ name }) => name);
  const advice = didYouMean(raw.playbook, known) || `; known are ${known.join(', ') || 'none'}`;
  return [file.problem('/playbook', `expected the name of a playbook, seen "${raw.playbook}"${advice}`)];
}

function caseProblems(file: YamlFile, raw: RawCases, playbook: Playbook): readonly ConfigProblem[] {
  const calls = callsOf(playbook);
  const known = [...calls.keys()];
  return raw.cases.flatMap((one, index) => {
    const at = `/cases/${index}`;
    const unknown = (step: string, pointer: string, on: 'key' | 'value'): readonly ConfigProblem[] =>
      calls.has(step)
        ? []
        : [file.problem(pointer, `${playbook.name} has no step "${step}"${didYouMean(step, known) || `; it has ${known.join(', ')}`}`, on)];
    const twice =
      raw.cases.findIndex(({ name }) => name === one.name) === index
        ? []
        : [file.problem(`${at}/name`, 'expected every name once, seen it a second time')];
    return [
      ...twice,
      ...Object.keys(one.actions ?? {}).flatMap((step) => unknown(step, below(`${at}/actions`, step), 'key')),
      ...(one.then.calls ?? []).flatMap((call, place) => {
        const pointer = `${at}/then/calls/${place}`;
        const uses = calls.get(call.step);
        if (uses === undefined) return unknown(call.step, `${pointer}/step`, 'value');
        return uses === call.uses
          ? []
          : [file.problem(`${pointer}/uses`, `expected ${uses}, which step ${call.step} uses, seen ${call.uses}`)];
      }),
    ];
  });
}

/** Action by step key, everything that a run of the playbook may call. */
function callsOf(playbook: Playbook): ReadonlyMap<string, string> {
  const calls = new Map<string, string>();
  for (const item of playbook.diagnose) if (item.kind === 'look') calls.set(item.id, item.uses);
  for (const step of playbook.steps) {
    calls.set(step.id, step.uses);
    if (step.undo !== null) calls.set(`undo/${step.id}`, step.undo.uses);
  }
  playbook.verify.proofs.forEach((proof, index) => {
    if (proof.kind === 'probe') calls.set(`proof${index + 1}`, proof.uses);
  });
  return calls;
}

function caseOf(file: string, playbook: string, raw: RawCase): PlaybookCase {
  const { given, then } = raw;
  return {
    file,
    playbook,
    name: raw.name,
    alerts: given.alerts.map((one) => ({ atMs: spanOf(one.at, 0), event: eventOf(one) })),
    mode: given.mode ?? null,
    approval: given.approval === undefined ? null : { atMs: spanOf(given.approval.at, 0), approved: given.approval.approved },
    untilMs: spanOf(given.until, hour),
    answers: new Map(Object.entries(raw.actions ?? {}).map(([step, answers]) => [step, [answers].flat().map(answerOf)])),
    expected: { ended: then.ended, paged: then.paged, calls: then.calls ?? null },
  };
}

function eventOf(raw: RawAlert): AlertEvent {
  const { name, labels = {}, entity = {}, source = 'test', claim = 'firing' } = raw;
  const at = spanOf(raw.at, 0);
  return {
    source,
    fingerprint: digestOf({ source, name, labels, entity }).slice('sha256:'.length, 'sha256:'.length + 16),
    episode: '',
    name,
    summary: raw.summary ?? name,
    claim,
    severity: raw.severity ?? 'error',
    labels,
    annotations: raw.annotations ?? {},
    entity,
    startedAt: at,
    observedAt: at,
    links: [],
    ...(claim === 'cleared' ? { proof: 'measured' as const } : {}),
  };
}

function answerOf(raw: RawAnswer): CaseAnswer {
  const { output = {}, detail = 'scripted', error = 'scripted' } = raw;
  const takesMs = spanOf(raw.takes, 0);
  switch (raw.outcome) {
    case 'ok':
      return { takesMs, outcome: { outcome: 'ok', output } };
    case 'failed':
      return { takesMs, outcome: { outcome: 'failed', error, detail, output } };
    case 'unknown':
      return { takesMs, outcome: { outcome: 'unknown', detail } };
  }
}

function spanOf(text: string | undefined, fallback: Millis): Millis {
  return text === undefined ? fallback : (parseSpan(text) ?? fallback);
}
