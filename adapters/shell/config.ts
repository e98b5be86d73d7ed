// The operator's part of shell/run and shell/check: which programs may run, where, and with what around them.
// Nothing here comes from a playbook or an alert.
import type { Millis } from '../../src/core/time.ts';

export interface ShellConfig {
  /** Programs, or directories whose programs, may run; absolute. Empty or missing: nothing may run. */
  readonly allow?: readonly string[];
  /** Directories in which a bare program name is looked up, and PATH of every command. */
  readonly path?: readonly string[];
  /** Fixed variables of every command. */
  readonly env?: { readonly [name: string]: string };
  /** Names of variables that a playbook may set beside words for data and ARG_…; each can steer the tools that know it. */
  readonly variables?: readonly string[];
  /** Directories in which a playbook may have a command run; missing: only the scratch directory of the call. */
  readonly workDirs?: readonly string[];
  /** From SIGTERM to SIGKILL when a command is stopped. */
  readonly killGraceMs?: Millis;
}

/** The shell's defaults: safe, and able to do nothing. */
export const shellDefaults = {
  allow: [],
  path: ['/usr/local/bin', '/usr/bin', '/bin'],
  env: {},
  variables: [],
  workDirs: [],
  killGraceMs: 500,
} as const satisfies Required<ShellConfig>;

// Never `/` itself: everything is not a choice.
const absolute = {
  type: 'string',
  pattern: '^/[^/\\u0000][^\\u0000]*$',
  maxLength: 4096,
  'x-expects': 'an absolute path that is not / itself',
};

/** Its schema in quench.yaml. */
export const ShellConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    allow: { type: 'array', items: absolute, maxItems: 256 },
    path: { type: 'array', items: absolute, minItems: 1, maxItems: 32 },
    env: {
      type: 'object',
      additionalProperties: false,
      patternProperties: { '^[A-Za-z_][A-Za-z0-9_]{0,63}$': { type: 'string', maxLength: 4096, 'x-secret': true } },
    },
    variables: {
      type: 'array',
      items: { type: 'string', pattern: '^[A-Z][A-Z0-9_]{0,63}$', 'x-expects': 'the name of a variable, in capitals' },
      maxItems: 64,
    },
    workDirs: { type: 'array', items: absolute, maxItems: 64 },
    killGraceMs: { type: 'integer', minimum: 0, maximum: 700 },
  },
} as const;
