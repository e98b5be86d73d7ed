// Which warnings of the runtime are about us. Node tells once in a process of a timer with a negative span, whoever asked for it.
// The client of the shared log is one (2026-11, traced with --trace-warnings): for a check that has nothing to wait for it asks for "-1 minus
// now", each time it connects. That timer fires at once and does no harm; one of our own would be an instant given for a span.
import { fileURLToPath } from 'node:url';
import { packageDir } from './version.ts';

/** False for a negative timer that a package has asked for. */
export function isOurs({ name, stack = '' }: Pick<Error, 'name' | 'stack'>): boolean {
  if (name !== 'TimeoutNegativeWarning') return true;
  const places = stack.split('\n').map((line) => /[ (]((?:file:\/\/)?\/[^()]*?):\d+:\d+\)?$/.exec(line)?.[1] ?? '');
  const asked = places.find((place) => place !== '');
  if (asked === undefined) return true;
  const path = asked.startsWith('file://') ? fileURLToPath(asked) : asked;
  return path.startsWith(`${packageDir}/`) && !path.startsWith(`${packageDir}/node_modules/`);
}
