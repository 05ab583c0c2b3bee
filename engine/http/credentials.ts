/** Who may write: anybody on loopback when the engine listens only there, otherwise the bearer of a token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import ipaddr from 'ipaddr.js';
import { Problem } from './problem.ts';

export interface Credentials {
  /** Bearer token for writes; undefined when none is configured. */
  readonly token: string | undefined;
  /** A second one, for agents: good for registering, changing and removing them, and for nothing else. */
  readonly registrationToken: string | undefined;
  /** Address the engine listens on. */
  readonly address: string;
}

interface Lock {
  /** Any of these opens it; without one only loopback does. */
  readonly tokens: readonly string[];
  readonly address: string;
  /** What messages call the requests, and the setting that lets them in. */
  readonly subject: string;
  readonly setting: string;
  /** What else opens it, for the end of the message. */
  readonly besides?: string;
}

/** Express middleware that refuses requests without credentials, naming the way in; `subject` is what messages call them. */
export function requireCredentials({ token, address }: Credentials, subject = 'writes'): RequestHandler {
  return opened({ tokens: known([token]), address, subject, setting: 'GPU_UPTIME_TOKEN' });
}

/** As `requireCredentials`, for registering, changing and removing agents. */
export function requireRegistration({ token, registrationToken, address }: Credentials): RequestHandler {
  const tokens = known([registrationToken, token]);
  const setting = registrationToken === undefined ? 'GPU_UPTIME_TOKEN' : 'AGENT_REGISTRATION_TOKEN';
  const lock = { tokens, address, subject: 'registrations', setting };
  if (registrationToken === undefined) return opened(lock);
  const start = token === undefined ? ', once the engine is started with that set' : '';
  return opened({ ...lock, besides: `; as its operator send GPU_UPTIME_TOKEN instead${start}` });
}

/** How to remove an agent whose token is lost. */
export function operatorsWay({ token }: Credentials): string {
  const start = token === undefined ? 'start the engine with GPU_UPTIME_TOKEN set and ' : '';
  return `where that is lost, ${start}send "Authorization: Bearer <GPU_UPTIME_TOKEN>" without it`;
}

/** Whether the request shows the operator's token; where none is configured nobody is the operator. */
export function isOperator({ token }: Credentials, req: Request): boolean {
  return showsOneOf(known([token]), req);
}

function opened({ tokens, address, subject, setting, besides = '' }: Lock): RequestHandler {
  return (req, _res, next) => {
    if (tokens.length === 0 && isLoopback(address)) {
      // Browsers name the page that sends a write; no page has business here, wherever it came from.
      if (req.headers.origin === undefined) return next();
      throw new Problem(403, `${subject} from web pages need a token: set ${setting}`);
    }
    if (tokens.length === 0) {
      throw new Problem(403, `${subject} are off: set ${setting}, or listen on 127.0.0.1 only (ENGINE_ADDRESS)`);
    }
    if (!showsOneOf(tokens, req)) {
      throw new Problem(401, `send the header "Authorization: Bearer <${setting}>"${besides}`);
    }
    next();
  };
}

function isLoopback(address: string): boolean {
  if (address === 'localhost') return true;
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.process(address).range() === 'loopback';
}

function known(tokens: readonly (string | undefined)[]): readonly string[] {
  return tokens.filter((token) => token !== undefined);
}

/** Compares with every one of them, so that the time taken does not say which was nearly right. */
function showsOneOf(tokens: readonly string[], req: Request): boolean {
  // The name of the scheme is read in any case (RFC 9110), the token as it is.
  const given = (req.headers.authorization ?? '').replace(/^bearer +/i, 'Bearer ');
  return tokens.map((token) => sameSecret(given, `Bearer ${token}`)).includes(true);
}

/** Compares digests, so that the time taken says nothing about where two secrets differ. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
