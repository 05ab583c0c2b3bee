/** The web configuration file of Prometheus' exporter-toolkit as data. Pure: certificates it names are read elsewhere. */

import { type Problem, readYaml } from '../yaml-tree.ts';
import { readFields } from './fields.ts';
import { type RateLimit, rateLimitSection } from './rate-limit.ts';
import { type Header, httpSection } from './response-headers.ts';
import { type TlsSection, tlsSection } from './tls-section.ts';
import { type Users, usersSection } from './users-section.ts';

interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: TlsSection | undefined;
  readonly headers: readonly Header[];
  /** Empty: no password is asked for. */
  readonly users: Users;
  readonly rateLimit: RateLimit | undefined;
}

export interface ParsedWebConfig {
  /** Only to be used without problems; with some, it is as complete as the file allows. */
  readonly config: WebConfig;
  readonly problems: readonly Problem[];
}

/** Reads the text of a web configuration file. It never throws; an empty file turns nothing on. */
export function parseWebConfig(source: string): ParsedWebConfig {
  const { root, problems: syntaxProblems } = readYaml(source, 'follow');
  const problems = [...syntaxProblems];
  const nothing = { kind: 'text', text: '', isPlain: true, place: { start: 0, end: 0 } } as const;
  const sections = readFields<Sections>(root ?? nothing, { path: '', problems }, readers);
  const config = {
    tls: sections.tls_server_config?.value,
    headers: sections.http_server_config?.value ?? [],
    users: sections.basic_auth_users?.value ?? new Map(),
    rateLimit: sections.rate_limit?.value,
  };
  return { config, problems };
}

interface Sections {
  readonly tls_server_config: TlsSection;
  readonly http_server_config: readonly Header[];
  readonly basic_auth_users: Users;
  readonly rate_limit: RateLimit;
}

const readers = {
  tls_server_config: tlsSection,
  http_server_config: httpSection,
  basic_auth_users: usersSection,
  rate_limit: rateLimitSection,
};
