// Exit codes, and how a command ends with one other than 0. The list is what `quench help` prints.

export const exits = {
  ok: 0,
  failed: 1,
  usage: 2,
  missing: 3,
  denied: 4,
  unreachable: 5,
  timeout: 6,
  unhealed: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exits)[keyof typeof exits];

export const exitMeanings: readonly (readonly [ExitCode, string])[] = [
  [exits.ok, 'done'],
  [exits.failed, 'failed, refused in the present state, or a check found problems'],
  [exits.usage, 'the command line is wrong'],
  [exits.missing, 'there is no such thing'],
  [exits.denied, 'the token is missing, wrong, or its role does not allow it'],
  [exits.unreachable, 'no gateway answers, or it cannot take it now'],
  [exits.timeout, 'it took longer than it was given'],
  [exits.unhealed, 'it ran, and the remediation failed'],
  [exits.interrupted, 'stopped by Ctrl-C'],
];

/** Ends the command: a sentence for stderr, in lower case, that says what to do next. */
export class Stop extends Error {
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string) {
    super(message);
    this.name = 'Stop';
    this.exit = exit;
  }
}

export function usage(message: string): Stop {
  return new Stop(exits.usage, message);
}
