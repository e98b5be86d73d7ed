// The id of a call says where in the playbook it was asked for: part, step and attempt, `steps/restart/1`.
// It is stored in facts and rows and names the call to workers; neither a part nor the id of a step holds a slash.
import { invariant } from '../errors.ts';
import { parts, type RunPart } from './facts.ts';

export interface CallPlace {
  readonly part: RunPart;
  readonly step: string;
  readonly attempt: number;
}

export function callId({ part, step, attempt }: CallPlace): string {
  return `${part}/${step}/${attempt}`;
}

/** Where the call of this id was asked for; the id comes from a row, so it was made by `callId`. */
export function placeOf(id: string): CallPlace {
  const [part = '', step = '', attempt = ''] = id.split('/');
  invariant(parts.includes(part as RunPart), `R1: ${id} is the id of a call`);
  return { part: part as RunPart, step, attempt: Number(attempt) };
}
