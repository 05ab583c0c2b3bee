/** The secret that says an agent is one's own: given out once, kept as a hash. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 32;

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** No salt and no slow hash: nobody guesses 32 random bytes. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Takes the same time wherever two hashes differ. */
export function fits(token: string, tokenHash: string): boolean {
  const [given, kept] = [Buffer.from(hashOf(token)), Buffer.from(tokenHash)];
  return given.length === kept.length && timingSafeEqual(given, kept);
}
