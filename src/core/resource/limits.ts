// Whether what happened on a resource lets a playbook act on it again: cooldown and attempts, with the numbers compared.
// Asked twice by the same words: of what the scope's own desk remembers (decide/guards.ts), and of the resource's desk, which knows of all scopes.
import { spanOf, type Instant, type Millis } from '../time.ts';
import type { Limits } from './facts.ts';
import type { Past } from './row.ts';

/** Why the resource is still cooling down at the instant, or null. */
export function coolingReason(past: Past, { cooldownMs }: Limits, target: string, at: Instant): string | null {
  const { lastEndAt } = past;
  if (lastEndAt === null || at - lastEndAt >= cooldownMs) return null;
  return `${target} was acted on ${spanOf(at - lastEndAt)} ago, cooldown ${spanOf(cooldownMs)}`;
}

/** For how much longer it cools down. */
export function coolsIn(past: Past, { cooldownMs }: Limits, at: Instant): Millis {
  return Math.max(0, (past.lastEndAt ?? 0) + cooldownMs - at);
}

/** Why the playbook has tried often enough, or null. */
export function attemptsReason(past: Past, { attempts }: Limits, playbook: string, target: string, at: Instant): string | null {
  if (attempts === null) return null;
  const starts = past.starts.filter((start) => start.playbook === playbook && at - start.at < attempts.perMs);
  if (starts.length < attempts.max) return null;
  return `${starts.length} runs on ${target} within ${spanOf(attempts.perMs)}, at most ${attempts.max}`;
}
