// Ids are derived, never drawn: a scope and the number of the fact that made the thing.
// `i42.default` is incident 42 of scope `default`; the first dot separates, so scopes may contain dots.

export type IdKind = 'i' | 'r' | 'p';

export function idOf(kind: IdKind, scope: string, seq: number): string {
  return `${kind}${seq}.${scope}`;
}

/** The scope in an id, or null when the text is no id. */
export function scopeOfId(id: string): string | null {
  const dot = id.indexOf('.');
  return dot > 1 && /^[irp][0-9]+$/.test(id.slice(0, dot)) && dot + 1 < id.length ? id.slice(dot + 1) : null;
}
