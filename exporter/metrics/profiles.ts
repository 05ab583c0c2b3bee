/** The profiles a page may have: the same readings under different names, one beside the other. */

import type { Problem } from '../problem.ts';
import type { Family } from './exposition.ts';
import { mergeFamilies } from './merge-families.ts';
import type { Format } from './negotiation.ts';

export const profileNames = ['dcgm', 'native', 'platform'] as const;

export type ProfileName = (typeof profileNames)[number];

/** Each profile once, in the order of `profileNames`. */
export type Profiles = readonly ProfileName[];

/**
 * The profiles of a request: `?profile=native`, several with a comma or by repetition, `fallback` where none is named. A problem
 * where a profile is named that does not exist.
 */
export function parseProfiles(query: URLSearchParams, fallback: Profiles): Profiles | Problem {
  const asked = query.getAll('profile').flatMap((value) => value.split(','));
  const names = asked.map((name) => name.trim()).filter((name) => name !== '');
  const unknown = [...new Set(names.filter((name) => !isProfileName(name)))];
  if (unknown.length > 0) return unknownProfiles(unknown);
  return names.length === 0 ? fallback : profileNames.filter((name) => names.includes(name));
}

function isProfileName(name: string): name is ProfileName {
  return profileNames.some((known) => known === name);
}

const anyOf = new Intl.ListFormat('en', { type: 'disjunction' });

function unknownProfiles(names: readonly string[]): Problem {
  const fix = `give ${anyOf.format(profileNames)}, or several of them with commas between`;
  return {
    status: 400,
    title: 'Unknown profile',
    detail: `There is no profile ${anyOf.format(names.map((name) => JSON.stringify(name.slice(0, 64))))}: ${fix}.`,
    errors: names.map((name) => ({
      field: 'profile',
      problem: `no profile is called ${JSON.stringify(name.slice(0, 64))}`,
      fix,
    })),
  };
}

/** dcgm-exporter answers in text, where its counters keep their type; the other names were made for OpenMetrics. */
export function preferredFormat(profiles: Profiles): Format {
  return profiles.includes('dcgm') ? 'text' : 'openmetrics';
}

/** The families of all `profiles` on one page. Labels are sorted by name, but for those of dcgm-exporter, which keep its order. */
export function familiesOf<Input>(
  profiles: Profiles,
  familiesByName: Readonly<Record<ProfileName, (input: Input) => readonly Family[]>>,
  input: Input,
): readonly Family[] {
  return mergeFamilies(...profiles.map((name) => familiesByName[name](input).map((family) => ordered(family, name))));
}

function ordered(family: Family, name: ProfileName): Family {
  return name === 'dcgm' ? family : { ...family, labelOrder: 'sorted' };
}
