/** The web configuration file while the exporter runs: looked at before every connection and request, read when it changed. */

import { renderDiagnostics } from '../diagnostic.ts';
import { type Problem, positionOf } from '../yaml-tree.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Header } from './response-headers.ts';
import { readStamped, type Stamp, type StampedFile, stampOf } from './stamped-file.ts';
import { loadTls, type TlsSettings } from './tls-settings.ts';
import type { Users } from './users-section.ts';
import { parseWebConfig } from './web-config.ts';

/** One state of the file with everything it names. Parts that a reload leaves as they were stay the same object. */
export interface WebSettings {
  readonly tls: TlsSettings | undefined;
  readonly headers: readonly Header[];
  readonly users: Users;
  readonly rateLimit: RateLimit | undefined;
}

export interface WebConfigFile {
  readonly isTls: boolean;
  /** What is in force now. Looks at the files, and takes what has changed in them. */
  settings(): WebSettings;
}

export type OpenedWebConfig =
  | { readonly kind: 'opened'; readonly file: WebConfigFile }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

interface WebConfigListener {
  readonly onReload: () => void;
  /** The changed files cannot be used; what was in force before stays. */
  readonly onRefused: (problems: readonly string[]) => void;
}

export interface WebConfigOptions extends WebConfigListener {
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Reads the file and the certificates it names. Every problem is reported: file:line:column, and what to do. */
export function openWebConfig(path: string, options: WebConfigOptions): OpenedWebConfig {
  const attempt = readAll(path);
  if (attempt.settings === undefined) return { kind: 'invalid', problems: attempt.problems };
  return { kind: 'opened', file: watch(path, attempt.settings, { ...options, stamps: stampsOf(attempt) }) };
}

interface Attempt {
  readonly files: readonly StampedFile[];
  readonly settings: WebSettings | undefined;
  readonly problems: readonly string[];
}

function readAll(path: string): Attempt {
  const file = readStamped(path);
  if (file.kind === 'unreadable') {
    return { files: [file], settings: undefined, problems: [`The web configuration cannot be read: ${file.reason}.`] };
  }
  const { config, problems: own } = parseWebConfig(file.text);
  const tls = config.tls === undefined ? undefined : loadTls(config.tls, path);
  const files = [file, ...(tls?.files ?? [])];
  const found = [...own, ...(tls?.problems ?? [])];
  if (found.length > 0) return { files, settings: undefined, problems: rendered(path, file.text, found) };
  return { files, settings: { ...config, tls: tls?.settings }, problems: [] };
}

// Without the lines themselves: they may hold keys and hashes, and this goes to a log.
function rendered(path: string, source: string, problems: readonly Problem[]): readonly string[] {
  return renderDiagnostics(
    path,
    [],
    problems.map((problem) => ({ ...positionOf(source, problem.place), ...problem })),
  );
}

type Stamps = ReadonlyMap<string, Stamp>;

function stampsOf({ files }: Attempt): Stamps {
  return new Map(files.map(({ path, stamp }) => [path, stamp]));
}

// Editors and certificate tools write in several steps; what is younger than this may not be complete.
const settleMs = 100;

function watch(path: string, first: WebSettings, options: WebConfigOptions & { stamps: Stamps }): WebConfigFile {
  let inForce = first;
  let { stamps } = options;

  function take(looked: Stamps): void {
    const attempt = readAll(path);
    const { settings, problems } = refuseUnsafe(path, inForce, attempt);
    // Files that a broken attempt did not get to may be what mends it, so they are still looked at.
    stamps = settings === undefined ? new Map([...looked, ...stampsOf(attempt)]) : stampsOf(attempt);
    if (settings === undefined) options.onRefused(problems);
    else {
      inForce = keepSame(inForce, settings);
      options.onReload();
    }
  }

  return {
    isTls: first.tls !== undefined,
    settings() {
      const looked = new Map([...stamps.keys()].map((file) => [file, stampOf(file)]));
      if (hasSettledChange(stamps, looked, options.now())) take(looked);
      return inForce;
    },
  };
}

function hasSettledChange(before: Stamps, looked: Stamps, atMs: number): boolean {
  const changed = [...looked].filter(([file, { mark }]) => before.get(file)?.mark !== mark);
  return changed.length > 0 && !changed.some(([, stamp]) => isFresh(stamp, atMs));
}

function isFresh({ writtenAtMs }: Stamp, atMs: number): boolean {
  const ageMs = atMs - (writtenAtMs ?? Number.NEGATIVE_INFINITY);
  return ageMs >= 0 && ageMs < settleMs;
}

// Changes that a running server does not make: half-written files and slips must not open what was closed.
function refuseUnsafe(path: string, before: WebSettings, attempt: Attempt): Attempt {
  const { files, settings } = attempt;
  if (settings === undefined) return attempt;
  const [file] = files;
  if (isProtecting(before) && file?.kind === 'read' && file.text.trim() === '')
    return { ...attempt, settings: undefined, problems: [`${path} has become empty: write {} to mean that.`] };
  if ((before.tls === undefined) === (settings.tls === undefined)) return attempt;
  const change = before.tls === undefined ? 'on' : 'off';
  return { ...attempt, settings: undefined, problems: [`${path} turns TLS ${change}: restart the exporter for that.`] };
}

function isProtecting({ tls, users }: WebSettings): boolean {
  return tls !== undefined || users.size > 0;
}

// Unchanged TLS settings keep their connections and session tickets.
function keepSame(before: WebSettings, after: WebSettings): WebSettings {
  const isSame = <T>(left: T, right: T) => JSON.stringify(left) === JSON.stringify(right);
  return {
    ...after,
    tls: isSame(before.tls, after.tls) ? before.tls : after.tls,
    rateLimit: isSame(before.rateLimit, after.rateLimit) ? before.rateLimit : after.rateLimit,
  };
}
