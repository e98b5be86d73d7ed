// The operator's part of process/restart and process/status: which processes there are, and how each is started and stopped.
// A playbook only picks one by name; nothing here comes from a playbook or an alert.
import type { Millis } from '../../src/core/time.ts';

export interface ProcessSpec {
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  readonly pidFile: string;
  /** Takes standard output and error, appended; missing: both are dropped. */
  readonly logFile?: string;
  /** Default SIGTERM. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2';
  /** From the stop signal to SIGKILL; default 10 s. */
  readonly stopWaitMs?: Millis;
  /** A process that ends within this span has not started; default 300 ms. */
  readonly startWaitMs?: Millis;
  /** How the command line begins of a program that renames itself (`nginx: master process`). */
  readonly title?: string;
}

export type ProcessConfig = { readonly [name: string]: ProcessSpec };

export const processDefaults = { stopSignal: 'SIGTERM', stopWaitMs: 10_000, startWaitMs: 300 } as const;

const absolute = { type: 'string', pattern: '^/[^\\u0000]+$', maxLength: 4096, 'x-expects': 'an absolute path' };

/** Names of processes, in the configuration and in a playbook. */
export const processName = '^[a-z0-9][a-z0-9._-]{0,63}$';

/** Its schema in quench.yaml. */
export const ProcessConfig = {
  type: 'object',
  additionalProperties: false,
  maxProperties: 256,
  patternProperties: {
    [processName]: {
      type: 'object',
      additionalProperties: false,
      required: ['command', 'pidFile'],
      properties: {
        command: {
          type: 'array',
          minItems: 1,
          maxItems: 64,
          items: { type: 'string', pattern: '^[^\\u0000]*$', maxLength: 4096, 'x-expects': 'text without NUL' },
        },
        cwd: absolute,
        env: {
          type: 'object',
          additionalProperties: false,
          patternProperties: { '^[A-Za-z_][A-Za-z0-9_]{0,63}$': { type: 'string', maxLength: 4096, 'x-secret': true } },
        },
        pidFile: absolute,
        logFile: absolute,
        stopSignal: { enum: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] },
        stopWaitMs: { type: 'integer', minimum: 0, maximum: 600_000 },
        startWaitMs: { type: 'integer', minimum: 0, maximum: 60_000 },
        title: { type: 'string', minLength: 1, maxLength: 256 },
      },
    },
  },
} as const;
