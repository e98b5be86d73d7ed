// The projectors of every gateway, one line each. What stands here has its own cursor, pace and lag (projector.ts), and retention waits for it.
import type { Store } from '../../ports/store.ts';
import { documentsProjector } from './documents.ts';
import type { Projector } from './projector.ts';

export function projectorsOf({ views }: Pick<Store, 'views'>): readonly Projector[] {
  return [documentsProjector(views)];
}
