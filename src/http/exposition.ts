// The text that a scrape gets, metric by metric: with hundreds of endpoints, playbooks and routes it is long.
import type { Registry } from 'prom-client';
import { giveWay } from '../engine/async/turns.ts';

const sliceChars = 32_768;

/** The same as the registry's own text; the event loop is given back between slices. */
export async function expositionOf(registry: Registry): Promise<string> {
  const texts: string[] = [];
  let chars = 0;
  for (const { name } of registry.getMetricsAsArray()) {
    const text = await registry.getSingleMetricAsString(name);
    texts.push(text);
    chars += text.length;
    if (chars < sliceChars) continue;
    await giveWay();
    chars = 0;
  }
  return `${texts.join('\n\n')}\n`;
}
