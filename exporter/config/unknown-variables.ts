/** Variables that look like settings of the exporter and are none: nobody else would say that they do nothing. */

import { nearestNames } from '../nearest-name.ts';
import { dcgmFlags } from './dcgm-flags.ts';
import { settingGroups } from './settings.ts';

const known: readonly string[] = [
  ...Object.values(settingGroups)
    .flat()
    .map(({ env }) => env),
  ...dcgmFlags.map(({ env }) => env),
];
// Where `gpu-uptime simulate` finds the exporter; and what Kubernetes sets for a service that is called exporter.
const foreign = /^EXPORTER_URL$|_SERVICE_(HOST|PORT)|_PORT(_\d+_|$)/;

/** A sentence for each variable that is probably a misspelt setting. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(env)
    .filter((name) => /^(EXPORTER|MOCK|NVML|AGENT|DCGM_EXPORTER)_/.test(name))
    .filter((name) => !known.includes(name) && !foreign.test(name))
    .map((name) => {
      const [nearest] = nearestNames(name, known, 1);
      const hint = nearest === undefined ? 'see --help for those there are' : `write ${nearest}`;
      return `${name} is not a setting and has no effect: ${hint}, or remove it.`;
    });
}
