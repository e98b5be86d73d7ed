// A toy family of actions: lamps, each a file in the operator's directory that holds the scene it shows.
import { readFile, writeFile } from 'node:fs/promises';
import { checked, type ActionFamily } from '../../../../adapters/kit/kinds.ts';
import type { ActionOutcome } from '../../../../src/core/run/outcome.ts';
import type { Action } from '../../../../src/ports/action.ts';

interface LampConfig {
  readonly dir?: string;
}

const lamp = { type: 'string', pattern: '^[a-z]{1,20}$', 'x-quench': 'address' } as const;
/** A small program: what the lamp does, and when. */
const scene = { type: 'string', minLength: 1, maxLength: 200, 'x-quench': 'program' } as const;

export const lampActions: ActionFamily = {
  name: 'lamp',
  options: { type: 'object', additionalProperties: false, properties: { dir: { type: 'string', pattern: '^/' } } },
  create: (config) => lamps(checked(config)),
};

function lamps({ dir }: LampConfig): readonly Action[] {
  const nowhere: ActionOutcome = { outcome: 'failed', error: 'refused', detail: 'lamp: no directory of lamps is configured', output: {} };
  return [
    {
      name: 'lamp/switch',
      summary: 'Lets a lamp show a scene.',
      effect: 'once',
      input: {
        type: 'object',
        required: ['lamp', 'scene'],
        additionalProperties: false,
        properties: { lamp, scene, note: { type: 'string' } },
      },
      check(input) {
        const loud = JSON.stringify(input).includes('strobe');
        return loud ? [{ pointer: '/scene', message: 'expected a calm scene, seen one with a strobe: leave it out' }] : [];
      },
      async act({ input }) {
        if (dir === undefined) return nowhere;
        await writeFile(`${dir}/${String(input['lamp'])}`, String(input['scene']));
        return { outcome: 'ok', output: {} };
      },
    },
    {
      name: 'lamp/look',
      summary: 'Says which scene a lamp shows.',
      effect: 'read',
      probe: true,
      input: { type: 'object', required: ['lamp'], additionalProperties: false, properties: { lamp } },
      async act({ input }) {
        if (dir === undefined) return nowhere;
        return { outcome: 'ok', output: { scene: await readFile(`${dir}/${String(input['lamp'])}`, 'utf8').catch(() => '') } };
      },
    },
    {
      name: 'lamp/count',
      summary: 'Says how many lamps there are; proves nothing of any.',
      effect: 'read',
      input: { type: 'object', additionalProperties: false },
      act: async () => ({ outcome: 'ok', output: { lamps: 1 } }),
    },
  ];
}
