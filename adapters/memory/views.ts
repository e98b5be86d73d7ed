// The read model over a memory disk. Lists are ordered by (at, order of first arrival), newest first.
import { GatewayError } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { TimelineEntry, ViewDoc, ViewPatch, ViewQuery, Views } from '../../src/ports/views.ts';
import { merge } from '../kit/merge-patch.ts';
import type { Content, Doc } from './disk.ts';
import { cursorKey } from './cursors.ts';
import type { WriteQueue } from './queue.ts';

const finalStates = new Set(['cleared', 'resolved', 'ended', 'closed', 'expired']);
const unavailable = 'store_unavailable';

export function memoryViews(content: Content, queue: WriteQueue, now: () => Instant): Views {
  const { docs, lines, cursors } = content;

  function put({ kind, id, scope, at, state, of, patch }: ViewPatch, changedAt: Instant): void {
    const key = docKey(kind, id);
    const held = docs.get(key);
    if (!held) content.arrivals += 1;
    docs.set(key, {
      seq: held?.seq ?? content.arrivals,
      kind,
      id,
      scope,
      at: held?.at || (at ?? 0),
      changedAt,
      state: state ?? held?.state ?? '',
      of: of === undefined ? (held?.of ?? null) : of,
      body: JSON.stringify(merge(held ? JSON.parse(held.body) : undefined, patch)),
    });
  }

  function addLine(entry: TimelineEntry): void {
    const story = lines.get(entry.incident) ?? new Map<string, TimelineEntry>();
    lines.set(entry.incident, story);
    const key = JSON.stringify([entry.seq, entry.scope]);
    if (!story.has(key)) story.set(key, entry);
  }

  return {
    async apply(batch) {
      // Plain JSON, and nobody else's: what a file would give back.
      const text = JSON.stringify(batch);
      const { cursor, partition, offset, patches, entries } = JSON.parse(text) as typeof batch;
      const changedAt = now();
      await queue.submit({ records: 1 + patches.length + entries.length, bytes: text.length, unavailable }, () => {
        const held = cursors.get(cursorKey(cursor, partition));
        if (held !== undefined && offset <= held) return;
        for (const patch of patches) put(patch, changedAt);
        for (const entry of entries) addLine(entry);
        cursors.set(cursorKey(cursor, partition), offset);
      });
    },
    get: (kind, id) =>
      queue.read(() => {
        const doc = docs.get(docKey(kind, id));
        return doc ? shown(doc) : null;
      }),
    async list(query) {
      const matches = matcher(query);
      return queue.read(() => {
        const found = [...docs.values()].filter(matches).sort((a, b) => b.at - a.at || b.seq - a.seq);
        const page = found.slice(0, query.limit);
        const last = page.at(-1);
        return { docs: page.map(shown), next: last && found.length > query.limit ? `${last.at}_${last.seq}` : null };
      });
    },
    count: (kind) =>
      queue.read(() => {
        const counts = new Map<string, number>();
        for (const doc of docs.values()) {
          if (doc.kind === kind) counts.set(doc.state, (counts.get(doc.state) ?? 0) + 1);
        }
        return Object.fromEntries(counts);
      }),
    timeline: (incident, after, limit) =>
      queue.read(() => {
        const story = [...(lines.get(incident)?.values() ?? [])].filter(({ seq }) => seq > after);
        return story.sort((a, b) => a.seq - b.seq).slice(0, limit);
      }),
    prune: (before, limit) =>
      queue.submit({ records: 1, bytes: 0, unavailable }, () => {
        const gone = [...docs]
          .filter(([, doc]) => finalStates.has(doc.state) && doc.changedAt < before)
          .sort(([, a], [, b]) => a.changedAt - b.changedAt || a.seq - b.seq)
          .slice(0, limit);
        for (const [key, doc] of gone) {
          docs.delete(key);
          if (doc.kind === 'incident') lines.delete(doc.id);
        }
        return gone.length;
      }),
  };
}

function docKey(kind: string, id: string): string {
  return `${kind}/${id}`;
}

function shown({ kind, id, scope, at, state, of, body }: Doc): ViewDoc {
  return { kind, id, scope, at, state, of, doc: JSON.parse(body) };
}

function matcher({ kind, states, of, text, after }: ViewQuery): (doc: Doc) => boolean {
  const needle = text === undefined ? '' : lower(JSON.stringify(text).slice(1, -1));
  const [at, seq] = after === undefined ? [Infinity, 0] : after.split('_').map(Number);
  if (at === undefined || seq === undefined || Number.isNaN(at) || Number.isNaN(seq)) {
    throw new GatewayError('invalid_request', 'views: `after` is not a place that a list returned');
  }
  return (doc) =>
    doc.kind === kind &&
    (!states || states.includes(doc.state)) &&
    (of === undefined || doc.of === of) &&
    (doc.at < at || (doc.at === at && doc.seq < seq)) &&
    lower(doc.body).includes(needle);
}

/** ASCII only, as SQLite folds. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
