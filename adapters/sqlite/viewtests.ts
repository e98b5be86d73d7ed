// What is left to be tested of a candidate for a list, when the walk has found it: facets, text, label patterns, scope and links.
// Which candidates there are is viewlists.ts, whose W2 bounds what is tested here.
import type { Matchable } from '../../src/core/alert/labels.ts';
import { agreesOnLabels, facetsAsked, sees, testsLabels, type AnyQuery } from '../../src/readmodel/query.ts';
import type { Place } from '../../src/readmodel/place.ts';
import { textTest } from '../../src/readmodel/text.ts';
import type { Reader, Row } from './reader.ts';
import { stow, unstow } from './text.ts';
import { facetRow } from './viewkin.ts';
import { bucketOf, worldOf } from './viewtables.ts';

/** Candidates looked at for one page; those whose text must be read count more. */
export const looksMax = 2_000;
const lookAtTextCosts = 4;
/** What a millisecond of testing counts: all of the bound is spent within 50 ms and one candidate. */
const looksPerMs = 40;
const facetHere = 'SELECT 1 FROM facets WHERE bucket = ? AND facet = ? AND world = ? AND seq = ?';

export interface Tests {
  /** Nothing is left to be tested: whatever the index gives is in the list. */
  readonly isFree: boolean;
  passes(place: Place): boolean;
}

/** `budget.left` is what may still be looked at for the page, in candidates (W2); every test takes from it. */
export function testsFor(reader: Reader, query: AnyQuery, budget: { left: number }, walksChildren = false): Tests {
  const facets = facetsAsked(query).map((anyOf) => anyOf.map((facet) => facetRow(query.kind, facet)));
  const needsRow =
    testsScope(query) ||
    (walksChildren && query.scopes !== 'all') ||
    (query.parent !== undefined && query.incident !== undefined && query.parent !== query.incident);
  const needsDoc = query.text !== undefined || testsLabels(query);
  const holds = textTest(query.text ?? '');
  return {
    isFree: facets.length === 0 && !needsRow && !needsDoc,
    passes({ seq }) {
      const began = performance.now();
      const passed = agrees(seq);
      budget.left -= Math.max(needsDoc ? lookAtTextCosts : 1, (performance.now() - began) * looksPerMs);
      return passed;
    },
  };

  function agrees(seq: number): boolean {
    const row = needsRow || facets.length > 0 ? reader.get('SELECT scope, parent FROM views WHERE seq = ?', seq) : null;
    if (needsRow && !rowPasses(row, query)) return false;
    const world = row === null || facets.length === 0 ? 0 : worldOf(unstow(String(row['scope'])));
    for (const anyOf of facets) {
      if (!anyOf.some((facet) => reader.get(facetHere, bucketOf(seq), facet, world, seq) !== null)) return false;
    }
    return !needsDoc || docPasses(String(reader.get('SELECT doc FROM views WHERE seq = ?', seq)?.['doc']), holds, query);
  }
}

/** Whether the walk does not answer for the scope already. */
function testsScope({ scopes, incident, parent }: AnyQuery): boolean {
  return scopes !== 'all' && (incident !== undefined || parent !== undefined);
}

export function rowPasses(row: Row | null, { scopes, incident, parent }: AnyQuery): boolean {
  if (row === null || !sees(scopes, unstow(String(row['scope'])))) return false;
  return [incident, parent].every((link) => link === undefined || row['parent'] === stow(link));
}

function docPasses(text: string, holds: (body: string) => boolean, query: AnyQuery): boolean {
  if (!holds(text)) return false;
  if (!testsLabels(query)) return true;
  return agreesOnLabels(query.labels, JSON.parse(text) as Partial<Matchable>); // a document
}
