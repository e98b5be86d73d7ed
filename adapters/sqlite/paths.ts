// The two files of a store, by name: the log's, and that of the state beside it.

/** `quench.db` → `quench.state.db`. */
export function stateFileOf(path: string): string {
  return `${path.replace(/\.db$/, '')}.state.db`;
}
