// The read model in the file: which tables and indexes there are, and what each is for.
// `views`: a document a row, `seq` in the order of first arrival. `rank` (state, then severity; query.ts) has 100 added for an incident
//   whose parent speaks for it, so that every list is a walk down ranges of one index, each from the newest down. `doc` is last and long.
// `facets`: by which words a document is found (`alert host=db1`, query.ts), and `places`: those an incident has of its members. A bucket
//   is a stretch of arrivals: new documents then share a few pages, and a word is sought bucket by bucket. (Without buckets every new
//   alert dirtied a page for each of its labels, and filling took three times as long.) `world` is a number made of the scope: whether a
//   word is rare must be known without looking at other scopes, or the answer would tell how often it stands there.
// `tallies`: how many documents of a kind and scope are in a state, kept with every change.
import { hash } from 'node:crypto';
import { stow } from './text.ts';

/** Documents that arrived one after the other; `seq >> bucketBits` is their bucket. */
export const bucketBits = 9;

export function bucketOf(seq: number): number {
  return Math.floor(seq / 2 ** bucketBits);
}

/** Added to the rank of an incident that its parent speaks for. */
export const hiddenRank = 100;

/** The scope as a number of 48 bits, for scopes are long and stand beside every facet. Two with one number would share facets, not documents. */
export function worldOf(scope: string): number {
  return hash('sha256', stow(scope), 'buffer').readUIntBE(0, 6);
}

export const viewTables = `
CREATE TABLE views (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, scope TEXT NOT NULL, rank INTEGER NOT NULL, at INTEGER NOT NULL,
  parent TEXT, final INTEGER NOT NULL, changed_at INTEGER NOT NULL, children INTEGER NOT NULL, doc TEXT NOT NULL, UNIQUE (kind, id)
);
CREATE INDEX views_rank ON views (kind, rank, at, seq);
CREATE INDEX views_scope ON views (kind, scope, rank, at, seq);
CREATE INDEX views_link ON views (kind, parent, rank, at, seq) WHERE parent IS NOT NULL;
CREATE INDEX views_ended ON views (changed_at) WHERE final = 1;
CREATE TABLE facets (
  bucket INTEGER NOT NULL, facet TEXT NOT NULL, world INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (bucket, facet, world, seq)
) WITHOUT ROWID;
CREATE TABLE places (seq INTEGER NOT NULL, facet TEXT NOT NULL, PRIMARY KEY (seq, facet)) WITHOUT ROWID;
CREATE TABLE tallies (
  kind TEXT NOT NULL, scope TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, scope, state)
) WITHOUT ROWID;`;
