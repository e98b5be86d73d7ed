// What must hold of a cluster's accounts, whatever was killed. Every fault is told, none hides another.
import { staleWords, unended, type HeardWord } from '../../process/words.ts';
import type { Account } from './account.ts';

const shownMax = 5;

/** What happened outside of the log. */
export interface World {
  readonly accepted: ReadonlyMap<string, { readonly urgent: boolean }>;
  /** One for each time that the action was done: its key, and when it began. */
  readonly acts: readonly { readonly key: string; readonly at: number }[];
  /** Notifications that reached the receiver, and how often. */
  readonly delivered: ReadonlyMap<string, number>;
  /** Message by message, by their ids outside, with the time of arrival. */
  readonly heard: readonly HeardWord[];
  /** A process that was stopped and went on: what was granted to it before must not be done after. */
  readonly zombies: readonly { readonly pid: number; readonly stoppedAt: number; readonly wokenAt: number }[];
}

export interface Verdict {
  readonly faults: readonly string[];
  readonly counts: { readonly [name: string]: number };
}

export function verdictOn(account: Account, world: World): Verdict {
  const faults: string[] = [];
  const none = (what: string, found: readonly string[]): number => {
    if (found.length > 0) faults.push(`${found.length} × ${what}: ${found.slice(0, shownMax).join('; ')}`);
    return found.length;
  };
  none('facts or alerts out of order', account.disorder);
  const lost = checkAlerts(account, world, none);
  const twice = checkActs(account, world, none);
  checkPages(account, world, none);
  const outcomes = [...account.finished.values()];
  return {
    faults,
    counts: {
      accepted: world.accepted.size,
      onLog: new Set(account.seen.values()).size,
      lost,
      inputs: account.inputs,
      facts: account.facts,
      repeats: account.repeats,
      runs: account.runs.size,
      acts: world.acts.length,
      twice,
      unknown: outcomes.filter(({ outcome }) => outcome === 'unknown').length,
      tooLate: outcomes.filter(({ error }) => error === 'too_late').length,
      pages: account.pages.size,
      over: account.words.pages
        .values()
        .filter(({ states }) => states.at(-1)?.state === 'closed')
        .toArray().length,
      notifiedTwice: [...world.delivered].filter(([id, times]) => times > 1 && account.notifications.has(id)).length,
      raw: [...world.delivered.keys()].filter((id) => /^quench:(?:\w+:)?undecided(?!.*:end\|)/.test(id)).length,
    },
  };
}

type None = (what: string, found: readonly string[]) => number;

function checkAlerts({ seen, decided, pages }: Account, { accepted }: World, none: None): number {
  const onLog = new Set(seen.values());
  const lost = none(
    'accepted and not on the inputs',
    [...accepted.keys()].filter((uid) => !onLog.has(uid)),
  );
  none(
    'alert not decided once',
    [...seen].filter(([key]) => decided.get(key)?.times !== 1).map(([key]) => `${key} ${decided.get(key)?.times ?? 0} times`),
  );
  none(
    'decision about an alert that is not on the inputs',
    [...decided.keys()].filter((key) => !seen.has(key)),
  );
  const paged = new Set(pages.values());
  none(
    'critical alert that nobody was paged for',
    [...seen]
      .filter(([key, uid]) => accepted.get(uid)?.urgent === true && !paged.has(decided.get(key)?.incident ?? ''))
      .map(([, uid]) => uid),
  );
  return lost;
}

function checkActs({ granted, finished }: Account, { acts, zombies }: World, none: None): number {
  const done = new Map(acts.map(({ key, at }) => [key, at]));
  const keys = acts.map(({ key }) => key);
  const twice = none(
    'action done twice',
    keys.filter((key, place) => keys.indexOf(key) !== place),
  );
  none(
    'action without a grant',
    keys.filter((key) => !granted.has(key)),
  );
  none(
    'call granted twice',
    [...granted].filter(([, grants]) => grants.length > 1).map(([key]) => key),
  );
  none(
    'action begun after the log had given it up',
    [...finished].filter(([key, { at }]) => (done.get(key) ?? 0) > at).map(([key, { outcome }]) => `${key} (${outcome})`),
  );
  none(
    'action done although its worker said that it was too late',
    [...finished].filter(([key, { error }]) => error === 'too_late' && done.has(key)).map(([key]) => key),
  );
  none(
    'action said to be done that was not',
    [...finished].filter(([key, { outcome }]) => outcome === 'ok' && !done.has(key)).map(([key]) => key),
  );
  for (const { pid, stoppedAt, wokenAt } of zombies) {
    const old = [...granted].filter(([, grants]) => grants.some(({ worker, at }) => worker.startsWith(`${pid}-`) && at < stoppedAt));
    none(
      `action of a zombie, granted before it was stopped`,
      old.filter(([key]) => (done.get(key) ?? 0) >= wokenAt).map(([key]) => key),
    );
  }
  return twice;
}

function checkPages({ runs, pages, notifications, words }: Account, { delivered, heard }: World, none: None): void {
  none(
    'run that did not end',
    [...runs].filter(([, { end }]) => end === null).map(([run]) => run),
  );
  const paged = new Set(pages.values());
  none(
    'unknown outcome that nobody was paged for',
    [...runs].filter(([, { end, incident }]) => end === 'unknown' && !paged.has(incident)).map(([run]) => run),
  );
  const reached = new Set([...delivered.keys()].map((id) => id.split('|')[0]));
  none(
    'page that reached nobody',
    [...pages.keys()].filter((page) => !reached.has(page)),
  );
  none(
    'notification that did not arrive',
    [...notifications].filter((id) => !delivered.has(id)),
  );
  none('page that is over, and whoever was called did not hear of it', unended(words, heard));
  const ofLog = heard.filter(({ id }) => !id.startsWith('quench:')); // raw pages are not of the log
  none('stale word', staleWords(words, ofLog));
}
