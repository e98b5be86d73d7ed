// A toy source: a sensor that says what room it watches and whether it is dark there, and can be asked which rooms are.
import { readFile } from 'node:fs/promises';
import { boundEvent, fingerprintOfLabels, isObject, parseJson, textOf } from '../../../../adapters/kit/event.ts';
import { checked, type SourceKind } from '../../../../adapters/kit/kinds.ts';
import { fail, ok } from '../../../../src/core/errors.ts';
import type { OpenAlerts } from '../../../../src/ports/open-alerts.ts';
import type { Source } from '../../../../src/ports/source.ts';

interface SensorOptions {
  readonly floor?: string;
}

export const sensorSource: SourceKind = {
  name: 'sensor',
  options: { type: 'object', additionalProperties: false, properties: { floor: { type: 'string', maxLength: 20 } } },
  create: (options) => sensor(checked(options)),
  ask: {
    options: { type: 'object', additionalProperties: false, required: ['rooms'], properties: { rooms: { type: 'string' } } },
    create: (options) => darkRooms(checked(options)),
  },
};

/** What is open there stands in a file, a dark room a line. */
function darkRooms({ rooms: file }: { readonly rooms: string }): OpenAlerts {
  return {
    async ask(askedAt) {
      try {
        const rooms = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
        const alerts = rooms.map((room) => {
          const body = JSON.stringify({ room, dark: true });
          return { delivery: { headers: {}, body, path: '', receivedAt: askedAt }, ours: true };
        });
        return ok({ alerts, unsure: [], partial: null, asOf: askedAt, since: null });
      } catch {
        return fail('sensor: the file of dark rooms cannot be read');
      }
    },
  };
}

function sensor({ floor = 'ground' }: SensorOptions): Source {
  return {
    name: 'sensor',
    answer: { status: 200, body: 'seen' },
    parse({ body, receivedAt }) {
      const read = parseJson(body, 'sensor');
      if (!read.ok) return read;
      const room = isObject(read.value) ? textOf(read.value['room']) : '';
      const state = isObject(read.value) ? read.value['dark'] : null;
      if (room === '' || typeof state !== 'boolean') {
        return fail({ reason: 'wrong_shape', message: 'sensor: expected room, a text, and dark, true or false' });
      }
      const labels = { room, floor };
      const event = boundEvent({
        source: 'sensor',
        fingerprint: fingerprintOfLabels('sensor', labels),
        episode: '',
        name: 'Dark',
        summary: `it is dark in the ${room}`,
        claim: state ? 'firing' : 'cleared',
        severity: 'critical',
        labels,
        annotations: {},
        entity: { host: room },
        startedAt: receivedAt,
        observedAt: receivedAt,
        links: [],
      });
      return ok({ events: [event], warnings: [] });
    },
  };
}
