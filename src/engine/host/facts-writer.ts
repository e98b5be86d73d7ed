// The facts of a partition on their way to the log: batch after batch, the scopes of one batch side by side.
//   H1  (host.ts) A fact that is on the log already, from an earlier turn of the same input, is not written again.
import type { Fact } from '../../core/records.ts';
import type { EventLog } from '../../ports/event-log.ts';
import type { FactsByScope } from './turner.ts';

export interface FactsWriterDeps {
  readonly partition: number;
  readonly log: Pick<EventLog, 'append'>;
  /** The facts of one scope are durable; those up to `knownSeq` were before, and only `fresh` are new on the log. */
  readonly onDurable: (scope: string, facts: readonly Fact[], fresh: readonly Fact[], knownSeq: number) => void;
}

export interface FactsWriter {
  /** Begins anew behind a load: what is on the log already, by scope. Only when nothing is on its way. */
  reset(newestSeqs: ReadonlyMap<string, number>): void;
  /** Waits for the batch before, then begins with this one; rejects when the batch before failed. */
  begin(facts: FactsByScope): Promise<void>;
  /** Resolves when everything begun is durable; rejects when it failed. */
  durable(): Promise<void>;
  /** The log has facts of inputs that were not turned again yet since the load: what a checkpoint covers ends before them (H1). */
  readonly isBehind: boolean;
}

export function createFactsWriter({ partition, log, onDurable }: FactsWriterDeps): FactsWriter {
  let newestSeqs: ReadonlyMap<string, number> = new Map();
  const behind = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  async function writeScope(scope: string, facts: readonly Fact[]): Promise<void> {
    const knownSeq = newestSeqs.get(scope) ?? 0;
    const fresh = (facts[0]?.seq ?? 0) > knownSeq ? facts : facts.filter((fact) => fact.seq > knownSeq); // H1
    if ((facts.at(-1)?.seq ?? 0) >= knownSeq) behind.delete(scope);
    if (fresh.length > 0) await log.append('facts', { partition, scope, values: fresh, mayUseReserve: true });
    onDurable(scope, facts, fresh, knownSeq);
  }

  /** Ends when nothing of it is on its way any more, well or not: a reload reads what is on the log (H1). */
  async function write(facts: FactsByScope): Promise<void> {
    const ends = await Promise.allSettled(facts.entries().map(([scope, mine]) => writeScope(scope, mine)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  return {
    reset(newest) {
      newestSeqs = newest;
      behind.clear();
      for (const scope of newest.keys()) behind.add(scope);
      writing = Promise.resolve();
    },
    async begin(facts) {
      await writing;
      writing = write(facts);
      writing.catch(() => {}); // `durable`, or the next `begin`, says it
    },
    durable: () => writing,
    get isBehind() {
      return behind.size > 0;
    },
  };
}
