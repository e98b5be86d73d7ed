// Whether work should be sent here: all checks at once, each with a deadline.
//   R1  Anybody may ask, so an answer is good for a second, and what is wrong goes to the log only; a check's note is made for everybody.
import { second, type Millis } from '../../core/time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadyAnswer } from '../../readmodel/answers.ts';
import type { Check, HttpDeps } from '../deps.ts';

const checkMs: Millis = 2 * second;

type Checked = ReadyAnswer['checks'];

export function createReadiness({ checks, clock, logger }: HttpDeps, draining: () => boolean): () => Promise<ReadyAnswer> {
  let newest: { readonly at: Millis; readonly answer: Promise<Checked> } | null = null;

  async function ask(check: Check): Promise<Checked[number]> {
    const wrong = await wrongWith(check, clock);
    if (wrong !== null) logger.warn({ check: check.name, wrong }, 'not ready');
    const note = check.note?.() ?? null;
    return { name: check.name, ok: wrong === null, ...(note === null ? {} : { note }) };
  }

  return async () => {
    const at = clock.steady();
    if (newest === null || at - newest.at > second) newest = { at, answer: Promise.all(checks.map(ask)) }; // R1
    const answered = await newest.answer;
    if (draining()) return { status: 'draining', checks: answered };
    return { status: answered.every(({ ok }) => ok) ? 'ready' : 'not ready', checks: answered };
  };
}

async function wrongWith(check: Check, clock: Clock): Promise<string | null> {
  const late = Promise.withResolvers<string>();
  const cancel = clock.after(checkMs, () => late.resolve(`no answer within ${checkMs} ms`));
  try {
    return await Promise.race([check.check(), late.promise]);
  } catch (error) {
    return error instanceof Error ? error.message : 'the check failed';
  } finally {
    cancel();
  }
}
