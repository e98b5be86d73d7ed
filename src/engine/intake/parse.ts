// A source asked for what a delivery says.
import type { Source } from '../../ports/source.ts';

/** A source never throws; if one does for these bytes, the bytes are worth keeping more than the stack. */
export function parseWith(source: Source, delivery: Parameters<Source['parse']>[0]): ReturnType<Source['parse']> {
  try {
    return source.parse(delivery);
  } catch (error) {
    const says = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    return { ok: false, error: { reason: 'wrong_shape', message: `${source.name}: the parser failed, please report this body: ${says}` } };
  }
}
