/** Who may write: anybody on loopback when the engine listens only there, otherwise the bearer of the token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import ipaddr from 'ipaddr.js';
import { Problem } from './problem.ts';

export interface Credentials {
  /** Bearer token for writes; undefined when none is configured. */
  readonly token: string | undefined;
  /** Address the engine listens on. */
  readonly address: string;
}

function isLoopback(address: string): boolean {
  if (address === 'localhost') return true;
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.process(address).range() === 'loopback';
}

/** Express middleware that refuses requests without credentials, naming the way in; `subject` is what messages call them. */
export function requireCredentials({ token, address }: Credentials, subject = 'writes'): RequestHandler {
  return (req, _res, next) => {
    if (token === undefined && isLoopback(address)) {
      // Browsers name the page that sends a write; no page has business here, wherever it came from.
      if (req.headers.origin === undefined) return next();
      throw new Problem(403, `${subject} from web pages need a token: set GPU_UPTIME_TOKEN`);
    }
    if (token === undefined) {
      throw new Problem(403, `${subject} are off: set GPU_UPTIME_TOKEN, or listen on 127.0.0.1 only (ENGINE_ADDRESS)`);
    }
    if (!sameSecret(req.headers.authorization ?? '', `Bearer ${token}`)) {
      throw new Problem(401, 'send the header "Authorization: Bearer <GPU_UPTIME_TOKEN>"');
    }
    next();
  };
}

/** Compares digests, so that the time taken says nothing about where two secrets differ. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
