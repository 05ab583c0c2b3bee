/** The native profile: base units, `uuid` in place of a dozen labels, and no series that vanishes with its GPU. */

import type { Presence } from '../../presence.ts';
import type { Snapshot } from '../../snapshot.ts';
import type { Family } from '../exposition.ts';
import { catalogFamilies, migCatalogFamilies, migDefinitions } from './catalog-families.ts';
import { clocksEventDefinition, clocksEventFamily } from './clocks-events.ts';
import type { Definition } from './definition.ts';
import { stateDefinition, stateFamily } from './gpu-state.ts';
import { infoDefinitions, infoFamilies } from './info.ts';
import { nvlinkDefinitions, nvlinkFamilies } from './nvlinks.ts';
import { presenceDefinitions, presenceFamilies } from './presence-families.ts';
import { processDefinition, processFamily } from './processes.ts';

export interface NativeInput {
  /** Undefined while there is none that is fresh enough to publish. */
  readonly snapshot: Snapshot | undefined;
  readonly presence: Presence;
  readonly hostname: string;
  /** How many GPUs this node should have; undefined leaves it to what is remembered. */
  readonly expectedGpus?: number | undefined;
}

/** Families that are not rows of the catalog, by topic; for the metrics catalogue. */
export const nativeTopics: readonly { readonly title: string; readonly definitions: readonly Definition[] }[] = [
  { title: 'Presence', definitions: [...presenceDefinitions, stateDefinition] },
  { title: 'Identity', definitions: infoDefinitions },
  {
    title: 'Reasons, links and processes',
    definitions: [clocksEventDefinition, ...nvlinkDefinitions, processDefinition],
  },
  { title: 'MIG instances', definitions: migDefinitions },
];

/** Every family of the profile; those about presence also without a snapshot. */
export function nativeFamilies({ snapshot, presence, hostname, expectedGpus }: NativeInput): readonly Family[] {
  const gpus = snapshot?.gpus ?? [];
  return [
    ...catalogFamilies(gpus),
    clocksEventFamily(gpus),
    ...nvlinkFamilies(gpus),
    processFamily(gpus),
    ...migCatalogFamilies(gpus),
    ...infoFamilies({ snapshot, presence, hostname }),
    ...presenceFamilies({ presence, expectedGpus, presentGpus: snapshot?.gpus.length }),
    stateFamily({
      gpus,
      presence,
      definition: stateDefinition,
      labelsOf: ({ identity }) => ({ uuid: identity.uuid }),
    }),
  ];
}
