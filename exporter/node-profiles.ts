/** The three profiles of one node, as its scrapes ask for them. */

import type { Config } from './config/parse.ts';
import { type DeviceSelection, entitiesOf } from './metrics/dcgm/devices.ts';
import {
  type ExpressionState,
  type ExpressionWindows,
  expressionFamilies,
  initialExpressions,
  observeExpressions,
} from './metrics/dcgm/expressions.ts';
import { counterFamilies } from './metrics/dcgm/families.ts';
import { type JobsByFile, jobAttributes } from './metrics/dcgm/hpc-jobs.ts';
import { dcgmRows } from './metrics/dcgm/labels.ts';
import type { CounterSelection } from './metrics/dcgm/selection.ts';
import type { Family } from './metrics/exposition.ts';
import { nativeFamilies } from './metrics/native/families.ts';
import { platformFamilies } from './metrics/native/platform.ts';
import type { ProfileName } from './metrics/profiles.ts';
import type { ProfileInput } from './scrape.ts';
import type { Snapshot } from './snapshot.ts';

type Names = Pick<Config, 'hostnameLabel' | 'useOldNamespace' | 'replaceBlanksInModelName'>;

export interface NodeProfilesOptions extends Names, ExpressionWindows {
  readonly hostname: string;
  readonly expectedGpus: number | undefined;
  readonly devices: DeviceSelection;
  /** What the counters file says at the moment. */
  readonly selection: () => CounterSelection;
  /** The jobs on the GPUs at the moment. */
  readonly jobs: () => JobsByFile;
}

export interface NodeProfiles {
  readonly byName: Readonly<Record<ProfileName, (input: ProfileInput) => readonly Family[]>>;
  /** To be told of each snapshot once: counts of events begin with it. */
  observe(snapshot: Snapshot): void;
}

export function createNodeProfiles(options: NodeProfilesOptions): NodeProfiles {
  const { hostname, expectedGpus } = options;
  let events = initialExpressions;
  return {
    byName: {
      dcgm: ({ snapshot, presence }) => (snapshot === undefined ? [] : dcgm({ snapshot, presence }, options, events)),
      native: (input) => nativeFamilies({ ...input, hostname, expectedGpus }),
      platform: (input) => platformFamilies({ ...input, hostname }),
    },
    observe: (snapshot) => {
      // Counting costs every GPU of every round, so it is left out where nobody asked for a count.
      if (options.selection().expressions.length > 0) events = observeExpressions(events, snapshot, options);
    },
  };
}

function dcgm(
  { snapshot, presence }: ProfileInput & { readonly snapshot: Snapshot },
  options: NodeProfilesOptions,
  state: ExpressionState,
): readonly Family[] {
  const { devices, jobs, selection, xidWindowMs, clockEventsWindowMs } = options;
  const { counters, expressions, labels } = selection();
  const rows = dcgmRows(snapshot, labels, {
    ...options,
    presence,
    entitiesOf: (gpu) => entitiesOf(devices, gpu),
    attributesOf: (entity) => jobAttributes(jobs(), entity),
  });
  const atMs = snapshot.takenAtMs;
  return [
    ...counterFamilies(counters, rows),
    ...expressionFamilies({ state, expressions, atMs, rows, xidWindowMs, clockEventsWindowMs }),
  ];
}
