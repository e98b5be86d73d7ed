// A critical alert as Alertmanager sends it, to a gateway that runs as a process.
import type { RealGateway } from './gateway.ts';

/** The status of the answer. */
export async function deliver({ url }: RealGateway, name: string): Promise<number> {
  const labels = { alertname: name, severity: 'critical', instance: `${name.toLowerCase()}:9100` };
  const alerts = [{ status: 'firing', labels, annotations: {}, startsAt: '2026-11-29T03:00:00Z' }];
  const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
  const body = JSON.stringify({ version: '4', status: 'firing', receiver: 'q', ...common, alerts });
  const headers = { 'content-type': 'application/json', connection: 'close' };
  return (await fetch(`${url}/webhooks/am`, { method: 'POST', headers, body })).status;
}
