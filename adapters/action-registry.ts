// The families of actions, one line each. A list of its own, because the executor process reads it and must load nothing else (registry.ts
// loads mail, logs and all notifiers): starting a program costs in proportion to the memory of the process that starts it.
import { httpActions } from './http/action.ts';
import type { ActionFamily } from './kit/kinds.ts';
import { processActions } from './process/action.ts';
import { shellActions } from './shell/action.ts';

export const actionFamilies: readonly ActionFamily[] = [shellActions, httpActions, processActions];
