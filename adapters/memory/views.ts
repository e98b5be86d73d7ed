// The read model over a memory disk: documents.ts changes them, lists.ts finds them.
import type { Instant } from '../../src/core/time.ts';
import type { ViewPage, Views } from '../../src/ports/views.ts';
import { states, type DocumentByKind, type DocumentKind } from '../../src/readmodel/documents.ts';
import { textOfPlace } from '../../src/readmodel/place.ts';
import { asked, sees, sortOf, type ViewQuery } from '../../src/readmodel/query.ts';
import type { TimelineEntry } from '../../src/readmodel/timeline.ts';
import type { Content } from './disk.ts';
import { documentsIn } from './documents.ts';
import { cursorKey } from './cursors.ts';
import { foundIn } from './lists.ts';
import type { WriteQueue } from './queue.ts';

const unavailable = 'store_unavailable';

export function memoryViews(content: Content, queue: WriteQueue, now: () => Instant): Views {
  const { lines, cursors } = content;
  const documents = documentsIn(content);

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
        const reached = cursors.get(cursorKey(cursor, partition));
        if (reached !== undefined && offset <= reached) return;
        for (const patch of patches) documents.put<DocumentKind>(patch, changedAt);
        for (const entry of entries) addLine(entry);
        cursors.set(cursorKey(cursor, partition), offset);
      });
    },
    get: (kind, id, scopes) =>
      queue.read(() => {
        const doc = documents.get(kind, id);
        return doc === null || !sees(scopes, doc.scope) ? null : documents.shown(kind, doc);
      }),
    async list<Kind extends DocumentKind>(question: ViewQuery<Kind>): Promise<ViewPage<Kind>> {
      const query = asked(question);
      return queue.read(() => {
        const candidates = foundIn(content.docs.values(), query);
        const page = candidates.slice(0, query.limit);
        const last = page.at(-1);
        // Of the kind that was asked for.
        const items = page.map(({ doc }) => documents.shown(query.kind, doc) as DocumentByKind[Kind]);
        return { items, next: last && candidates.length > query.limit ? textOfPlace(last.place, sortOf(query)) : null };
      });
    },
    count: (kind, scopes) =>
      queue.read(() => {
        const seen = documents.all(kind).filter(({ scope }) => sees(scopes, scope));
        const counts = states[kind].map((state) => [state, seen.filter((doc) => doc.state === state).length]);
        return Object.fromEntries(counts);
      }),
    timeline: ({ incident, scopes, after, limit }) =>
      queue.read(() => {
        const story = [...(lines.get(incident)?.values() ?? [])].filter(({ seq, scope }) => seq > after && sees(scopes, scope));
        return story.sort((a, b) => a.seq - b.seq).slice(0, limit);
      }),
    prune: (before, limit) => queue.submit({ records: 1, bytes: 0, unavailable }, () => documents.prune(before, limit)),
  };
}
