// Desks with nothing on them, of which only is kept where their numbers and their time stand: those of resources that nobody uses, mostly.
import { metaOf, type Desk, type DeskMeta } from '../../core/desk.ts';
import type { Instant } from '../../core/time.ts';

export class Resting {
  readonly #metas = new Map<string, DeskMeta>();
  /** None has a later time. */
  #latest: Instant = 0;

  add(desk: Desk): void {
    const meta = metaOf(desk);
    if (meta.seq === 0) return; // never used
    this.#metas.set(desk.scope, meta);
    this.#latest = Math.max(this.#latest, meta.now);
  }

  /** What is kept of the desk, which rests no more. */
  take(scope: string): DeskMeta | undefined {
    const meta = this.#metas.get(scope);
    this.#metas.delete(scope);
    return meta;
  }

  /** Scopes of those whose time is later; they are to be taken. */
  later(than: Instant): readonly string[] {
    if (this.#latest <= than) return [];
    this.#latest = than;
    return [...this.#metas].flatMap(([scope, { now }]) => (now > than ? [scope] : []));
  }
}
