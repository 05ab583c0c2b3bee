/** HTTP basic authentication against bcrypt hashes. A client learns only whether name and password are right together. */

import { createHash } from 'node:crypto';
import { clientOf } from './connection-door.ts';
import type { PasswordChecker } from './password-checker.ts';
import type { Users } from './users-section.ts';
import { createVerdictCache } from './verdict-cache.ts';

export type Verdict = 'granted' | 'refused' | 'busy';

interface Attempt {
  /** The header Authorization. */
  readonly authorization: string | undefined;
  /** The address of the client: a check takes its turn. */
  readonly address: string | undefined;
}

/** At once for what was checked before with the same hash, else when it has been checked. */
export type BasicAuth = (attempt: Attempt, users: Users) => Verdict | Promise<Verdict>;

const rememberedVerdicts = 1000;

/** `users` must not be empty. */
export function createBasicAuth(checker: PasswordChecker): BasicAuth {
  const cache = createVerdictCache(rememberedVerdicts);
  const underWay = new Map<string, Promise<Verdict>>();

  async function check(key: string, address: string | undefined, question: Question): Promise<Verdict> {
    const isMatch = await checker.check(clientOf(address), question);
    if (isMatch === 'busy') return 'busy';
    const isGranted = isMatch && question.isKnown;
    cache.set(key, isGranted);
    return isGranted ? 'granted' : 'refused';
  }

  return ({ authorization, address }, users) => {
    const credentials = readCredentials(authorization);
    if (credentials === undefined) return 'refused';
    const question = questionFor(credentials, users);
    const key = cache.keyOf([credentials.user, question.hash, credentials.password]);
    const known = cache.get(key);
    if (known !== undefined) return known ? 'granted' : 'refused';
    const checking = underWay.get(key) ?? check(key, address, question).finally(() => underWay.delete(key));
    underWay.set(key, checking);
    return checking;
  };
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Undefined for anything that is not `Basic` and base64 of `name:password`. */
export function readCredentials(authorization: string | undefined): Credentials | undefined {
  const encoded = /^Basic (?<encoded>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i.exec(
    authorization ?? '',
  );
  const decoded = Buffer.from(encoded?.groups?.encoded ?? '', 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

interface Question {
  readonly password: string;
  readonly hash: string;
  readonly isKnown: boolean;
}

// A name that does not exist is checked against the hash of one that does, always the same: it takes as long, whatever the costs.
function questionFor({ user, password }: Credentials, users: Users): Question {
  const own = users.get(user);
  if (own !== undefined) return { password, hash: own, isKnown: true };
  const hashes = [...users.values()];
  const nth = createHash('sha256').update(user).digest().readUInt32BE() % hashes.length;
  return { password, hash: hashes[nth] ?? '', isKnown: false };
}
