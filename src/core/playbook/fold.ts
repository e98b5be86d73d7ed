// The policy in force and the freeze, folded into the partition's own desk. Decides nothing.
import { worldOf, type Folds } from '../desk.ts';
import { put } from '../table.ts';

export const playbookFolds: Folds<'PolicyAdopted' | 'FreezeChanged' | 'InstallationAdopted'> = {
  PolicyAdopted: (desk, fact) => put(desk.tables.world, 'world', { ...worldOf(desk), policy: fact.policy }),
  FreezeChanged: (desk, fact) => put(desk.tables.world, 'world', { ...worldOf(desk), frozen: fact.frozen }),
  InstallationAdopted: (desk, fact) => put(desk.tables.world, 'world', { ...worldOf(desk), installation: fact.installation }),
};
