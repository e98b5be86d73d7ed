// The list of incidents as people ask for it: what a storm spoke for stands under it when both are over, too.
//   E5  A store hides what an open storm speaks for. Of resolved ones what the storm spoke for is left out here, when the storm itself answers
//       the question; a page goes on in the store until it is full, or for a bounded number of steps, and says where (V3 in ports/views.ts).
import { giveWay } from '../../engine/async/turns.ts';
import type { ViewPage, Views } from '../../ports/views.ts';
import { hidesChildren, type ViewQuery } from '../../readmodel/query.ts';

type Question = ViewQuery<'incident'>;

/** Resolved storms that are asked for, the newest of them; what an older one spoke for is shown. */
const stormsMax = 1_000;
const stepsMax = 100;
/** Read at once, since most of it may be left out. */
const chunkMax = 200;

export async function listIncidents(views: Pick<Views, 'list'>, query: Question): Promise<ViewPage<'incident'>> {
  const isOver = query.states === undefined || query.states.includes('resolved');
  if (!isOver || query.storm === true || query.parent !== undefined || !hidesChildren(query)) return views.list(query);
  const storms = await resolvedStorms(views, query);
  if (storms.size === 0) return views.list(query);
  const items: ViewPage<'incident'>['items'][number][] = [];
  let after = query.after ?? null;
  let chunk = chunkMax;
  for (let step = 0; step < stepsMax; step += 1) {
    const left = query.limit - items.length;
    const page: ViewPage<'incident'> = await views.list({ ...query, limit: Math.max(chunk, left), ...(after === null ? {} : { after }) });
    const shown = page.items.filter(({ parent }) => parent === null || !storms.has(parent));
    if (shown.length > left) {
      chunk = Math.floor(Math.min(chunk, page.items.length) / 2); // its end is no place to go on from: ask for less
    } else {
      items.push(...shown);
      after = page.next;
      chunk = chunkMax;
      if (after === null || items.length === query.limit) break;
    }
    await giveWay();
  }
  return { items, next: after };
}

/** The storms that are over and answer the question, in whatever order and place. */
async function resolvedStorms(views: Pick<Views, 'list'>, asked: Question): Promise<ReadonlySet<string>> {
  const { after: _, sort: __, ...query } = asked;
  const found = new Set<string>();
  let after: string | null = null;
  do {
    const page: ViewPage<'incident'> = await views.list({
      ...query,
      states: ['resolved'],
      storm: true,
      sort: 'newest',
      limit: 200,
      ...(after === null ? {} : { after }),
    });
    for (const { id } of page.items) found.add(id);
    after = page.next;
    await giveWay();
  } while (after !== null && found.size < stormsMax);
  return found;
}
