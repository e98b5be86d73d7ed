// A configuration while it is being read: the document, what is needed to judge it, and the problems so far.
import type { Severity } from '../../core/alert/severity.ts';
import type { Json } from '../../core/json.ts';
import type { Millis } from '../../core/time.ts';
import type { ActionDeclaration } from '../../ports/action.ts';
import type { Role } from '../../ports/shares.ts';
import type { Files } from '../files.ts';
import { spanFaults, type PlaybookDeps } from '../playbook/fault.ts';
import type { RawGroup } from './groups.ts';
import type { SecretDeps } from '../secrets.ts';
import { parseBytes, parseSpan } from '../yaml/duration.ts';
import { didYouMean, type ConfigProblem } from '../yaml/problems.ts';
import type { YamlFile } from '../yaml/yaml.ts';

/** One kind of adapter: its name in the file and the JSON Schema of its options. Secrets are marked `writeOnly: true`. */
export interface Kind {
  readonly name: string;
  readonly options: object;
}

/** What is to be said of options; the pointer is below them. */
export interface ShapeDoubt {
  readonly pointer: string;
  readonly message: string;
}

/** `fault`: what is wrong with options that their schema lets pass. */
export interface SeriesShape extends Kind {
  fault?(options: Options): ShapeDoubt | null;
}

export interface ConfigDeps extends PlaybookDeps, SecretDeps {
  readonly sources: readonly (Kind & { readonly ask?: { readonly options: object } })[];
  /** `sharedBy`: why a message under these options reaches several people, or null; without it the operator alone knows. */
  readonly notifiers: readonly (Kind & { sharedBy?(options: Options): string | null })[];
  /** Logs that several gateways share. */
  readonly logs: readonly Kind[];
  /** The first is the default. */
  readonly stores: readonly [{ readonly name: string }, ...{ readonly name: string }[]];
  /** Who may keep the time series. The first is the default. */
  readonly series: readonly [SeriesShape, ...SeriesShape[]];
  /** Families of actions: the part of an action's name before the slash. */
  readonly actionKinds: readonly (Kind & { doubts?(options: Options): readonly ShapeDoubt[] })[];
  /** Why a text is no key for signatures, or null; the sentence never repeats it. */
  keyProblem(secret: string): string | null;
  /** Actions under these options, to be asked what the operator's lists permit; without it nobody asks. */
  configured?(actions: { readonly [family: string]: Options }): readonly ActionDeclaration[];
  /** Hears of what works and is hardly meant. */
  warn?(problem: ConfigProblem): void;
  /** Where tokens of our own doors are read, when not as all other files: a first start makes those that are missing. */
  readonly doorFiles?: Files;
  /**
   * Where the secret of links is read that a gateway which is alone keeps in its data directory when the file names none; one that runs makes it.
   * Without it there is none.
   */
  readonly linkFiles?: Files;
}

export type Options = { readonly [name: string]: Json };
export type SecretRef = Options | readonly Options[];

export interface RawConfig {
  readonly listen?: { readonly host?: string; readonly port?: number; readonly publicUrl?: string };
  readonly api?: {
    readonly tokens?: {
      readonly [name: string]: {
        readonly role: 'read' | 'operate' | 'admin';
        readonly secret: Options;
        readonly scopes?: readonly string[];
      };
    };
    readonly ackSecrets?: SecretRef | 'none';
    readonly metrics?: 'open' | 'read';
  };
  readonly approvals?: { readonly byLink?: boolean; readonly approvers?: readonly string[] };
  readonly data?: { readonly type?: string; readonly dir?: string };
  readonly log?: Options & { readonly type?: string };
  readonly roles?: readonly Role[];
  readonly series?: RawSeries;
  readonly limits?: {
    readonly body?: string;
    readonly lists?: string;
    readonly buffered?: string;
    readonly connections?: number;
    readonly streams?: number;
    readonly queueRecords?: number;
    readonly queue?: string;
    readonly backlog?: number;
    readonly deadLetters?: number;
    readonly retention?: string;
    readonly disk?: string;
  };
  readonly endpoints: { readonly [name: string]: RawEndpoint };
  readonly scope?: { readonly labels?: readonly string[] };
  readonly playbooks?: { readonly dir?: string };
  readonly groups?: { readonly [name: string]: RawGroup };
  readonly actions?: { readonly [kind: string]: Options };
  readonly notifiers: { readonly [name: string]: Options & { readonly type: string; readonly person?: string } };
  readonly ladders: { readonly [name: string]: RawLadder };
  readonly routes?: readonly { readonly when?: string; readonly ladder: string }[];
  readonly grouping?: {
    readonly window?: string;
    readonly labels?: readonly (readonly string[])[];
    readonly reopen?: string;
    readonly membersMax?: number;
  };
  readonly storm?: { readonly alerts?: number; readonly within?: string };
  readonly flapping?: { readonly start?: number; readonly stop?: number; readonly steady?: string };
  readonly paging?: { readonly severity?: Severity; readonly score?: number };
  readonly settle?: string;
  readonly holdOff?: string;
  readonly stale?: string;
  readonly drain?: string;
  readonly spool?: { readonly bytes?: string; readonly age?: string };
  readonly delivery?: { readonly keepTrying?: string; readonly bundle?: string };
  readonly reload?: 'auto' | 'asked';
  readonly failOpen?: { readonly after?: string; readonly notify?: string | readonly string[] };
}

/** Beside its own members at most one, the name of who keeps them with its options. */
export type RawSeries = Options & {
  readonly keep?: { readonly points?: string; readonly hours?: string; readonly days?: string };
  readonly hosts?: boolean;
  readonly minutesSaved?: { readonly [playbook: string]: number };
};

export interface RawEndpoint {
  readonly source: string;
  readonly tenant?: string;
  readonly auth?: { readonly bearer?: SecretRef; readonly basic?: SecretRef; readonly hmac?: SecretRef };
  readonly allowUnauthenticated?: true;
  readonly alertsApi?: boolean;
  readonly reconcile?: Options & { readonly every?: string; readonly unheard?: string; readonly grace?: string };
  readonly options?: Options;
  readonly mapping?: { readonly [member: string]: string };
}

export interface RawLadder {
  readonly rungs: readonly { readonly notify: string | readonly string[]; readonly wait?: string }[];
  readonly repeat?: number;
  readonly ackTimeout?: string;
}

export interface Loading {
  readonly file: YamlFile;
  readonly raw: RawConfig;
  readonly deps: ConfigDeps;
  readonly problems: ConfigProblem[];
  /** Names of notifiers in the file: one that is broken is no unknown one. */
  readonly notifiers: readonly string[];
  /** Secret → the place that it is for, of our own doors; so that none opens two of them. */
  readonly doorSecrets: Map<string, string>;
  /** Every secret value that was read. */
  readonly secrets: Set<string>;
}

/** Notes a problem at a place of the document. */
export function complain(loading: Loading, pointer: string, message: string): void {
  loading.problems.push(loading.file.problem(pointer, message));
}

/** `expected the name of a ladder, seen "defualt"; did you mean "default"?` */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  return `expected the name of a ${what}, seen "${name}"${didYouMean(name, known) || `; known are ${known.join(', ')}`}`;
}

/** A span within its bounds, else the fallback and a problem. */
export function spanAt(
  loading: Loading,
  pointer: string,
  text: string | undefined,
  fallback: Millis,
  bounds: { readonly min: Millis; readonly max: Millis },
): Millis {
  const faults = spanFaults(text, pointer, bounds);
  for (const fault of faults) complain(loading, fault.pointer, fault.message);
  return text === undefined || faults.length > 0 ? fallback : (parseSpan(text) ?? fallback);
}

/** Bytes of a size that the schema accepted. */
export function bytesOr(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : (parseBytes(text) ?? fallback);
}
