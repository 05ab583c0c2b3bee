/** The families of the default profile, as the exporter publishes them until profiles can be chosen. */

import type { Snapshot } from '../snapshot.ts';
import { defaultSelection } from './catalog.ts';
import { dcgmFamilies } from './dcgm/families.ts';
import type { Family } from './exposition.ts';

/** One family per default counter of dcgm-exporter. `hostname` becomes the `Hostname` label. */
export function gpuFamilies(snapshot: Snapshot, hostname: string): readonly Family[] {
  return dcgmFamilies(snapshot, defaultSelection, {
    hostname,
    hostnameLabel: 'Hostname',
    useOldNamespace: false,
    replaceBlanksInModelName: false,
  });
}
