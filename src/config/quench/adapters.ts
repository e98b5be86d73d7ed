// Options of sources, actions and notifiers, from quench.yaml: each is checked by the JSON Schema of its adapter.
import { isOwnName, ownNameRefused } from '../../core/own-name.ts';
import { roles as every } from '../../ports/shares.ts';
import { resolveSecrets } from '../secrets.ts';
import { didYouMean } from '../yaml/problems.ts';
import { shapeProblems } from '../yaml/shape.ts';
import { below } from '../yaml/pointer.ts';
import { complain, type Kind, type Loading, type Options } from './loading.ts';
import type { Config } from './types.ts';

/** The named kind, or null and a problem. */
export function kindOf(
  loading: Loading,
  pointer: string,
  name: string,
  { what, known }: { readonly what: string; readonly known: readonly Kind[] },
): Kind | null {
  const kind = known.find((each) => each.name === name);
  if (kind !== undefined) return kind;
  const names = known.map((each) => each.name);
  complain(
    loading,
    pointer,
    `unknown ${what} "${name}"${didYouMean(name, names)}${didYouMean(name, names) === '' ? ';' : ''} known are ${names.join(', ')}`,
  );
  return null;
}

/** Options with secrets in place, checked by the schema of their kind. */
export function optionsOf(loading: Loading, pointer: string, raw: Options, kind: Kind | null): Options {
  if (kind === null) return raw;
  const { value, problems, hidden, secrets } = resolveSecrets(loading.file, pointer, raw, kind.options, loading.deps);
  loading.problems.push(...problems);
  for (const secret of secrets) loading.secrets.add(secret);
  if (problems.length === 0) loading.problems.push(...shapeProblems(loading.file, kind.options, value, pointer, hidden));
  // A mapping stays one.
  return value as Options;
}

export function actionsOf(loading: Loading): Config['actions'] {
  return Object.fromEntries(
    Object.entries(loading.raw.actions ?? {}).map(([name, options]) => {
      const pointer = below('/actions', name);
      const { actionKinds: known, warn } = loading.deps;
      const judged = optionsOf(loading, pointer, options, kindOf(loading, pointer, name, { what: 'kind of action', known }));
      const doubts = warn === undefined ? undefined : known.find((kind) => kind.name === name)?.doubts?.(judged);
      for (const doubt of doubts ?? []) warn?.(loading.file.problem(`${pointer}${doubt.pointer}`, doubt.message));
      return [name, judged];
    }),
  );
}

export function notifiersOf(loading: Loading): Config['notifiers'] {
  return Object.fromEntries(
    Object.entries(loading.raw.notifiers).map(([name, { type, person, ...options }]) => {
      const pointer = below('/notifiers', name);
      const kind = kindOf(loading, `${pointer}/type`, type, { what: 'type of notifier', known: loading.deps.notifiers });
      const judged = optionsOf(loading, pointer, options, kind);
      if (person === undefined) return [name, { type, options: judged }];
      const shared = loading.deps.notifiers.find((each) => each.name === type)?.sharedBy?.(options) ?? null;
      if (shared !== null) complain(loading, below(pointer, 'person'), `expected no person, seen "${person}": ${shared}`);
      const isOurs = isOwnName(person);
      if (isOurs) complain(loading, below(pointer, 'person'), ownNameRefused(person, 'write whom it reaches, person: anna, or nothing'));
      return [name, { type, options: judged, ...(shared === null && !isOurs ? { person } : {}) }];
    }),
  );
}

/** The shared log, or null for the embedded one. */
export function logOf(loading: Loading): Config['log'] {
  const { type = 'embedded', ...options } = loading.raw.log ?? {};
  if (type === 'embedded') {
    for (const name of Object.keys(options)) complain(loading, below('/log', name), 'an embedded log has no options; give `type` first');
    return null;
  }
  const kind = kindOf(loading, '/log/type', type, {
    what: 'type of log',
    known: [{ name: 'embedded', options: {} }, ...loading.deps.logs],
  });
  return { type, options: optionsOf(loading, '/log', options, kind) };
}

/** The kind of store that keeps the data of this process. */
export function storeOf(loading: Loading): string {
  const { stores } = loading.deps;
  const { type = stores[0].name } = loading.raw.data ?? {};
  kindOf(loading, '/data/type', type, { what: 'type of store', known: stores.map(({ name }) => ({ name, options: {} })) });
  return type;
}

export function rolesOf(loading: Loading): Config['roles'] {
  const { roles, log } = loading.raw;
  if (roles === undefined) return every;
  const isAlone = (log?.type ?? 'embedded') === 'embedded';
  if (isAlone && roles.length < every.length && !isIntakeOnly(roles))
    complain(
      loading,
      '/roles',
      `a gateway with the embedded log is alone and does everything; leave roles out, or share a log, or write [intake] while it shall decide nothing`,
    );
  return roles;
}

/** The way out when decisions are what is broken: it takes in, and pages critical alerts as they came in. */
function isIntakeOnly(roles: Config['roles']): boolean {
  return roles.length === 1 && roles[0] === 'intake';
}
