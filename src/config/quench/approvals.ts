// Who may let a playbook act by the link in a page that asks: from quench.yaml.
//   A1  Closed unless it says otherwise: a link that a channel can read lets nothing run; whoever follows it shows a token of the API.
//   A2  An approver is somebody whom a notifier reaches alone: only then does a link know who holds it.
import type { Policy } from '../../core/playbook/policy.ts';
import { didYouMean } from '../yaml/problems.ts';
import { complain, type Loading } from './loading.ts';
import type { Config } from './types.ts';

/** What `approvals` says; warns when a playbook asks and nobody may answer. */
export function approvalsOf(loading: Loading, api: Config['api'], policy: Policy): Config['approvals'] {
  const { byLink = false, approvers: names = [] } = loading.raw.approvals ?? {};
  const persons = [...new Set(Object.values(loading.raw.notifiers).flatMap(({ person }) => (person === undefined ? [] : [person])))];
  const approvers = names.filter((name, at) => {
    if (persons.includes(name)) return true; // A2
    complain(loading, `/approvals/approvers/${at}`, unknownPerson(name, persons));
    return false;
  });
  const asks = policy.playbooks.find(({ mode }) => mode === 'approve');
  const mayAnswer = byLink || approvers.length > 0 || api.tokens.some(({ role }) => role !== 'read');
  if (asks !== undefined && !mayAnswer)
    loading.deps.warn?.(
      loading.file.problem(
        '/approvals',
        `nobody can say yes to ${asks.name}, which is in mode approve: write a token of role operate under api.tokens, or approvals: { approvers: [...] }`,
      ),
    );
  return { byLink, approvers };
}

function unknownPerson(name: string, persons: readonly string[]): string {
  const known =
    persons.length === 0
      ? `; no notifier says whom it reaches: write person: ${name} at the one that reaches nobody else`
      : didYouMean(name, persons) || `; known are ${persons.join(', ')}`;
  return `expected the person of a notifier, seen "${name}"${known}`;
}
