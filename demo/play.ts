// `npm run demo`: three short stories against the gateway that `npm start` runs, with a real process, real deliveries, real pages.
// A client like any other: it speaks HTTP and knows nothing of the gateway's inside.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterTheLastStorm, clearLeftBehind } from './before.ts';
import { createCheckout, type Checkout } from './checkout.ts';
import { fail } from './fail.ts';
import { createGateway, type Gateway, type Items } from './gateway.ts';
import { GivenUp } from './given-up.ts';
import { heal } from './heal.ts';
import { createScreen } from './screen.ts';
import type { Ending, Stage } from './stage.ts';
import { grouped, storm } from './storm.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const usage = `npm run demo -- [--url http://127.0.0.1:8686] [--data DIR with the gateway's tokens] [--service-port 18080]
  --service-port: the port stands in quench.yaml (actions.http.allow, actions.process.checkout) and playbooks/restart-service.yaml, too`;

const screen = createScreen(process.stdout);
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort());

try {
  await play(stopping.signal);
} catch (error) {
  const stopped = stopping.signal.aborted;
  if (!stopped && !(error instanceof GivenUp)) throw error;
  process.stderr.write(`\ndemo: ${stopped ? 'stopped' : error instanceof GivenUp ? error.message : ''}\n`);
  process.exitCode = stopped ? 130 : 1;
}

async function play(signal: AbortSignal): Promise<void> {
  const { url, data, port } = optionsIn(process.argv.slice(2));
  const gateway = createGateway({ url, data, signal });
  const checkout = createCheckout({ port, data });
  const steps = new Set<(stage: Stage) => Promise<void>>();
  const stage: Stage = {
    gateway,
    screen,
    signal,
    play: `quench-demo-${Date.now().toString(36)}`,
    undo(step) {
      steps.add(step);
      return () => void steps.delete(step);
    },
  };
  screen.text(`Quench demo: three stories against the gateway at ${url}, about a minute`);
  await checkBefore(gateway, checkout);
  await clearLeftBehind(stage);
  await afterTheLastStorm(stage);
  screen.begin();
  try {
    const healed = await heal(stage, checkout);
    const failed = await fail(stage);
    const blown = await storm(stage);
    sum({ healed, failed, blown });
  } finally {
    await tidyUp([...steps].toReversed(), { url, data, stage });
  }
}

/** What a demo that ends early has begun: alerts still firing, a service still running. Not stopped by the Ctrl-C that stopped the demo. */
async function tidyUp(
  steps: readonly ((stage: Stage) => Promise<void>)[],
  place: { readonly url: string; readonly data: string; readonly stage: Stage },
): Promise<void> {
  if (steps.length === 0) return;
  screen.text('\nends early, tidies up:');
  const { signal } = new AbortController();
  const calm = { ...place.stage, signal, gateway: createGateway({ ...place, signal }) };
  for (const step of steps) {
    await step(calm).catch((error: unknown) => {
      if (!(error instanceof GivenUp)) throw error;
      screen.text(`  not tidied up: ${error.message}`);
    });
  }
}

function optionsIn(args: readonly string[]): { readonly url: string; readonly data: string; readonly port: number } {
  const options = {
    url: { type: 'string', default: 'http://127.0.0.1:8686' },
    data: { type: 'string', default: join(root, 'data') },
    'service-port': { type: 'string', default: '18080' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const port = Number(values['service-port']);
    if (!URL.canParse(values.url) || !(port > 0 && port < 65_536)) throw new TypeError('expected an address and a port');
    return { url: values.url.replace(/\/+$/, ''), data: resolve(values.data), port };
  } catch (error) {
    throw new GivenUp(`${error instanceof Error ? error.message : 'what is that?'}\nusage: ${usage}`);
  }
}

/** Everything that would only show in the middle of a story: tokens, endpoints, playbooks, the service's port. */
async function checkBefore(gateway: Gateway, checkout: Checkout): Promise<void> {
  if (process.platform !== 'linux') throw new GivenUp('the demo kills and restarts a real process by process/restart, which needs Linux');
  const { items } = await gateway.get<Items<{ readonly name: string; readonly mode: string }>>('/api/v1/playbooks');
  for (const name of ['restart-service', 'demo-restart-payments']) {
    const mode = items.find((playbook) => playbook.name === name)?.mode ?? 'none at all';
    if (mode !== 'auto') throw new GivenUp(`expected playbook ${name} in mode auto, as the repository's quench.yaml has it; seen ${mode}`);
  }
  await gateway.deliver('prometheus', { version: '4', alerts: [] });
  await checkout.mayStart();
}

function sum(endings: { readonly healed: Ending; readonly failed: Ending; readonly blown: Ending }): void {
  const { healed, failed, blown } = endings;
  const alerts = healed.alerts + failed.alerts + blown.alerts;
  const pages = healed.pages + failed.pages + blown.pages;
  const below = blown.incidents - 1;
  screen.heading(`${(screen.elapsed() / 1_000).toFixed(0)} seconds later`);
  screen.text(`  alerts      ${grouped(alerts)} from four tools, every one in an incident`);
  screen.text(`  incidents   3 that speak: ${healed.incident}, ${failed.incident}, ${blown.incident} (with ${below} below it)`);
  screen.text(`  remediated  ${healed.remediated}: checkout, proved by its own health check`);
  screen.text(`  pages       ${pages}: one for what a playbook could not do, one for the storm`);
  screen.text(`  silence     ${grouped(alerts - pages)} alerts that woke nobody`);
  screen.heading('What to do next');
  const next = (what: string, why: string): void => screen.text(`  ${what.padEnd(48)}  ${why}`);
  next(`npm run quench -- incident show ${healed.incident}`, 'read one of them whole, with every number');
  next('adapters/<vendor>/README.md', 'connect a sender');
  next('playbooks/restart-service.yaml', 'what healed checkout; yours go beside it');
}
