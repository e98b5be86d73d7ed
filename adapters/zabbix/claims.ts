// What a Zabbix notification claims: a problem, its update or its recovery, by macros or by words.
//   Z3  An update changes the severity, acknowledges or notes; it opens nothing, and clears only by a manual close.
import type { Claim, Proof } from '../../src/core/alert/event.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { ParseFailure } from '../../src/ports/source.ts';
import { pick, type Fields } from './fields.ts';
import { subjectOf } from './identity.ts';

/** One claim of a delivery: an update may hold several. */
export interface Said {
  readonly claim: Claim;
  readonly proof?: Proof;
  /** Nobody says that it is over: Zabbix only tells no more of it. */
  readonly presumed?: true;
  readonly phase: 'problem' | 'update' | 'recovery' | 'cancel';
  readonly mute?: string | null;
  /** The end of the mute as the server wrote it (times.ts reads it); absent when it has none. */
  readonly muteUntil?: string;
  readonly note?: string;
}

export function refused(what: string): Result<never, ParseFailure> {
  return fail({ reason: 'wrong_shape', message: `zabbix: ${what}` });
}

export function seen(text: string): string {
  return JSON.stringify(text.slice(0, 40).toWellFormed());
}

export function saidBy(fields: Fields): Result<readonly Said[], ParseFailure> {
  const value = pick(fields, 'eventvalue');
  const told = value === '' ? overByWords(fields) : overByValue(value);
  if (told === undefined) return refused(`event_value must be 0 or 1, got ${seen(value)}`);
  const isOver = told;
  if (isOver === null) return refused('event_value, status and subject missing: cannot tell a problem from a recovery');
  const action = pick(fields, 'eventupdateaction', 'updateaction');
  const status = pick(fields, 'eventupdatestatus');
  if (status === '1' || (status === '' && action !== '') || pick(fields, 'messagetype').toLowerCase() === 'acknowledgement') {
    return ok(saidByUpdate(fields, action.toLowerCase(), isOver));
  }
  if (isOver) return ok([{ claim: 'cleared', proof: 'measured', phase: 'recovery' }]);
  const message = pick(fields, 'alertmessage', 'message', 'statemessage');
  // Only at the very start, where Zabbix itself puts it: further on it could be an item's value.
  const cancelled = /^NOTE: Escalation cancell?ed[^\n]{0,300}/.exec(message)?.[0];
  if (cancelled !== undefined)
    return ok([{ claim: 'cleared', proof: 'assumed', presumed: true, phase: 'cancel', note: cancelled.toWellFormed() }]);
  // Only where the server was asked: it says of no problem by itself that the time of its suppression is over.
  const isShown = pick(fields, 'suppressed') === '0';
  return ok([{ claim: 'firing', phase: 'problem', ...(isShown ? { mute: null } : {}) }]);
}

/** `0`, `1`, or a word that a template put there; undefined for anything else. */
function overByValue(value: string): boolean | undefined {
  if (value === '0' || overWords.test(value)) return true;
  return value === '1' || /^problem$/i.test(value) ? false : undefined;
}

const overWords = /^(?:resolved|ok|recovery|recovered|closed)$/i;

/** For senders without {EVENT.VALUE}: a status word, or the subject of the default templates. Null when neither is there. */
function overByWords(fields: Fields): boolean | null {
  const status = pick(fields, 'eventstatus', 'status', 'triggerstatus', 'state', 'messagetype').toLowerCase();
  if (overWords.test(status)) return true;
  if (status !== '') return false;
  const subject = subjectOf(fields);
  return subject === '' ? null : /^[^a-z]*resolved\b/i.test(subject);
}

/** The actions are joined by "and" and commas; several of them may make several claims. */
function saidByUpdate(fields: Fields, action: string, isOver: boolean): readonly Said[] {
  const note = updateNote(fields, action);
  if (isOver) {
    // Z3: a close by hand proves nothing; a remark on a problem that is over changes nothing.
    return /\bclosed\b/.test(action)
      ? [{ claim: 'cleared', proof: 'assumed', phase: 'update', note }]
      : [{ claim: 'noted', phase: 'update', note }];
  }
  const said: Said[] = [];
  if (/\bchanged severity\b/.test(action)) said.push({ claim: 'firing', phase: 'update', note });
  if (/\bunacknowledged\b/.test(action)) said.push({ claim: 'unacknowledged', phase: 'update', note });
  else if (/\backnowledged\b/.test(action) || (action === '' && isAcknowledged(fields)))
    said.push({ claim: 'acknowledged', phase: 'update', note });
  if (/\bunsuppressed\b/.test(action)) said.push({ claim: 'noted', phase: 'update', mute: null, note });
  else if (/\bsuppressed\b/.test(action)) said.push({ claim: 'noted', phase: 'update', mute: 'suppressed', ...muteUntilIn(action), note });
  return said.length > 0 ? said : [{ claim: 'noted', phase: 'update', note }];
}

/** `suppressed until 2026.11.22 00:00:00`; `suppressed indefinitely` has no end. */
function muteUntilIn(action: string): Pick<Said, 'muteUntil'> {
  const until = /\bsuppressed until\b([^,]{0,64}?)(?:,| and |$)/.exec(action)?.[1];
  const isMeant = until !== undefined || /\bsuppressed until\b/.test(action);
  return isMeant ? { muteUntil: (until ?? '').trim() } : {};
}

/** For senders without {EVENT.UPDATE.ACTION}. */
function isAcknowledged(fields: Fields): boolean {
  return /^yes$/i.test(pick(fields, 'eventackstatus', 'eventack')) || pick(fields, 'messagetype').toLowerCase() === 'acknowledgement';
}

function updateNote(fields: Fields, action: string): string {
  const author = pick(fields, 'eventupdateuser', 'userfullname', 'eventackuser');
  const message = pick(fields, 'eventupdatemessage', 'updatemessage');
  const done = action === '' ? 'updated' : action.slice(0, 512);
  return `${done}${author === '' ? '' : ` by ${author.slice(0, 128)}`}${message === '' ? '' : `: ${message}`}`.toWellFormed();
}
