// A toy source: a sensor that says what room it watches and whether it is dark there.
import { boundEvent, fingerprintOfLabels, isObject, parseJson, textOf } from '../../../../adapters/kit/event.ts';
import { checked, type SourceKind } from '../../../../adapters/kit/kinds.ts';
import { fail, ok } from '../../../../src/core/errors.ts';
import type { Source } from '../../../../src/ports/source.ts';

interface SensorOptions {
  readonly floor?: string;
}

export const sensorSource: SourceKind = {
  name: 'sensor',
  options: { type: 'object', additionalProperties: false, properties: { floor: { type: 'string', maxLength: 20 } } },
  create: (options) => sensor(checked(options)),
};

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
