// What is said of a gateway that runs although its configuration does not load: in /readyz, in a metric, and to people, once.
import { hash } from 'node:crypto';
import { configDefaults } from '../config/quench/defaults.ts';
import type { Config } from '../config/quench/types.ts';
import type { Broken } from '../config/quench/usable.ts';
import { endingOf } from '../engine/failopen/page-text.ts';
import { createRawPager, type RawPage } from '../engine/failopen/raw-pager.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Notifier } from '../ports/notifier.ts';
import { problemLine } from '../config/yaml/problems.ts';
import { saysOf, type Boot } from './boot-config.ts';
import type { Surroundings } from './surroundings.ts';

const listedMax = 10;
const lineCharsMax = 300;

export interface ConfigTrouble {
  readonly broken: Broken;
  /** How many problems there are now. */
  problems(): number;
  /** In one sentence that anybody may read; null once it is mended. */
  says(): string | null;
  /** A later reading had no problem, and is in force. */
  mended(): void;
  /** Calls when it is mended. */
  onMended(call: () => void): void;
  /** A later reading was refused. */
  refused(why: Refusal): void;
}

/** How many problems a reading had, and what came of it. */
interface Refusal {
  readonly problems: number;
  readonly says: string;
}

const nothingBroken: Broken = { problems: [], notifiers: new Map(), endpoints: new Set(), policy: false };

/** How a configuration stands; without a start that had trouble, well. */
export function troubleOf(boot: Pick<Boot, 'broken' | 'isCopy'> = { broken: nothingBroken, isCopy: false }): ConfigTrouble {
  const { broken } = boot;
  const calls: (() => void)[] = [];
  let stands: Refusal | null = broken.problems.length === 0 ? null : { problems: broken.problems.length, says: saysOf(boot) };
  return {
    broken,
    problems: () => stands?.problems ?? 0,
    says: () => stands?.says ?? null,
    mended() {
      stands = null;
      for (const call of calls) call();
    },
    onMended: (call) => void calls.push(call),
    refused: (why) => void (stands = why),
  };
}

interface Parts {
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly metrics: Pick<Metrics, 'notification'>;
  readonly trouble: ConfigTrouble;
}

/**
 * Sends one page by the fail-open notifiers, which ends when a reload has mended it; the same problems have the same key, so that a pager joins those of
 * many starts. A restart that mends it knows of no page. Returns how to stop.
 */
export function pageTrouble(config: Config, { clock, logger }: Surroundings, { notifiers, metrics, trouble }: Parts): () => Promise<void> {
  const pager = createRawPager({
    clock,
    notifiers,
    notify: config.failOpen.notify,
    keepTryingMs: config.policy.delivery?.keepTryingMs ?? configDefaults.keepTryingMs,
    attempted: (notifier, outcome) => metrics.notification(notifier, outcome),
    onTrouble: (error) => logger.error({ error }, 'nobody could be told that the configuration does not load'),
  });
  if (trouble.problems() === 0) return pager.stop;
  const page = pageOf(trouble, clock.now());
  pager.send(page, () => trouble.problems() > 0);
  trouble.onMended(() => pager.end(endOf(page, clock.now())));
  return pager.stop;
}

function endOf(page: RawPage, at: number): RawPage {
  return {
    ...page,
    ...endingOf(page),
    title: '[quench] mended: the configuration that it started with was broken',
    text: 'A reload has put a configuration without problems in force, and this page ends.',
    at,
    facts: [],
  };
}

function pageOf({ broken, says }: ConfigTrouble, at: number): RawPage {
  const lines = broken.problems.map((problem) => problemLine(problem).slice(0, lineCharsMax));
  const more = lines.length > listedMax ? [`- and ${lines.length - listedMax} more`] : [];
  const dedupKey = `quench:config:${hash('sha256', lines.join('\n'), 'hex').slice(0, 16)}`;
  return {
    id: dedupKey,
    kind: 'page',
    dedupKey,
    incident: 'config',
    page: 'config',
    title: `[quench] started with a broken configuration: ${lines.length} problem${lines.length === 1 ? '' : 's'}`,
    text: [
      `${says() ?? 'the configuration does not load'}.`,
      ...lines.slice(0, listedMax).map((line) => `- ${line}`),
      ...more,
      'What to do: mend it, look with quench check, then quench reload; what a reload does not take over, a restart does.',
    ].join('\n'),
    severity: 'error',
    at,
    source: 'quench',
    facts: [{ name: 'problems', value: String(lines.length) }],
    links: [],
  };
}
