/** The profiles a page may have: the same readings under different names, one beside the other. */

import { anyOf } from '../any-of.ts';
import type { Family } from './exposition.ts';
import { mergeFamilies } from './merge-families.ts';
import type { Format } from './negotiation.ts';

export const profileNames = ['dcgm', 'native', 'platform'] as const;

export type ProfileName = (typeof profileNames)[number];

/** Each profile once, in the order of `profileNames`. */
export type Profiles = readonly ProfileName[];

export type ProfilesResult =
  | { readonly kind: 'profiles'; readonly profiles: Profiles }
  /** `fix` says which profiles there are. */
  | { readonly kind: 'unknown'; readonly names: readonly string[]; readonly fix: string };

const fix = `give ${anyOf(profileNames)}, or several of them with commas between`;

/** The profiles that `texts` name, each text one or several with commas between; `fallback` where none is named. */
export function parseProfiles(texts: readonly string[], fallback: Profiles): ProfilesResult {
  const names = texts.flatMap((text) => text.split(',').map((name) => name.trim())).filter((name) => name !== '');
  const unknown = [...new Set(names.filter((name) => !isProfileName(name)))];
  if (unknown.length > 0) return { kind: 'unknown', names: unknown.map((name) => name.slice(0, 64)), fix };
  const chosen = profileNames.filter((name) => names.includes(name));
  return { kind: 'profiles', profiles: names.length === 0 ? fallback : chosen };
}

function isProfileName(name: string): name is ProfileName {
  return profileNames.some((known) => known === name);
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
