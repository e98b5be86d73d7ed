// What became of an incident or an alert, in the past tense, for one column of a list.
import type { Decision } from '../core/decide/facts.ts';
import type { AlertDocument, IncidentDocument } from '../readmodel/documents.ts';

const decided: { readonly [Word in Decision]: string } = {
  page: 'paged',
  remediate: 'repair begun',
  hold: 'held back',
  suppress: 'suppressed',
  record: 'recorded',
};

type Incident = Pick<IncidentDocument, 'state' | 'decision' | 'acknowledgedBy' | 'resolvedBy' | 'resolvedWho'>;

/** `healed by restart-web`, `paged and acknowledged by anna`, `paged, cleared at its source`; '' of what nothing is known. */
export function resultOfIncident(incident: Incident): string {
  const { state, decision, acknowledgedBy } = incident;
  const acted = decision === null ? '' : decided[decision];
  const taken = acknowledgedBy === null || acknowledgedBy === '' ? '' : `acknowledged by ${acknowledgedBy}`;
  const soFar = [acted === 'paged' || state !== 'resolved' ? acted : '', taken].filter((part) => part !== '').join(' and ');
  return state === 'resolved' ? [soFar, endOf(incident)].filter((part) => part !== '').join(', ') : soFar;
}

function endOf({ resolvedBy, resolvedWho }: Incident): string {
  const who = resolvedWho === null || resolvedWho === '' ? '' : ` by ${resolvedWho}`;
  switch (resolvedBy) {
    case 'playbook':
      return `healed${who}`;
    case 'human':
      return `resolved${who}`;
    case 'source':
      return 'cleared at its source';
    case 'timeout':
      return 'given up: nothing more was heard';
    case null:
      return 'resolved';
    default:
      return resolvedBy satisfies never;
  }
}

type Alert = Pick<AlertDocument, 'state' | 'decision' | 'muted' | 'acknowledged'>;

/** `cleared`, `silenced`, `paged and acknowledged`; '' of what nothing is known. */
export function resultOfAlert({ state, decision, muted, acknowledged }: Alert): string {
  if (state === 'cleared') return 'cleared';
  if (muted !== null) return muted.kind === 'silence' ? 'silenced' : `held back: ${muted.kind}`;
  return [decision === null ? '' : decided[decision], acknowledged ? 'acknowledged' : ''].filter((part) => part !== '').join(' and ');
}
