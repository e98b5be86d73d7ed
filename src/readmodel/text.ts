// Text that people look for in a list: what of a document counts as text, and which letters are alike.
//   T1  What was said is searched: words, and names that senders and playbooks chose. The names of a document's own members, numbers,
//       instants and the words for kinds of terms are in every document: a search for `root`, `breadth` or `41` would find them all.
//   T2  Upper and lower case are alike in every script.

/** Members whose own members are named by senders and playbooks. */
const named: ReadonlySet<string> = new Set(['labels', 'annotations', 'params', 'steps', 'notified']);

/** Words that are the same in every document: which member, of what. */
const unsaid: { readonly [holder: string]: string } = { terms: 'name', evidence: 'kind' };

/** Whether a document holds the text, by the JSON in which it is kept. */
export function textTest(text: string): (body: string) => boolean {
  const needle = folded(text);
  if (needle === '') return () => true;
  // Nearly all are ruled out without being parsed. JSON writes half a surrogate pair in its own way, so that is left to the second look.
  const written = text.isWellFormed() ? folded(JSON.stringify(text).slice(1, -1)) : '';
  return (body) => folded(body).includes(written) && says(JSON.parse(body), needle, '');
}

/** `holder` is the name of the member that has the value. */
function says(value: unknown, needle: string, holder: string): boolean {
  if (typeof value === 'string') return folded(value).includes(needle);
  if (Array.isArray(value)) return value.some((one) => says(one, needle, holder));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => {
    if (named.has(holder)) return folded(name).includes(needle) || says(typeof member === 'number' ? String(member) : member, needle, '');
    return unsaid[holder] !== name && says(member, needle, name);
  });
}

/** A sigma at the end of a word is one, too. */
function folded(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}
