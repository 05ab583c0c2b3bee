/** `host:port` as Go's net package splits and joins it. */

export interface HostPort {
  readonly host: string;
  readonly port: string;
}

/** Undefined when the text has no port, or too many colons outside brackets. */
export function splitHostPort(address: string): HostPort | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/s.exec(address);
  if (match === null) return undefined;
  const [, bracketed, plain = '', port = ''] = match;
  const host = bracketed ?? plain;
  // A bracket anywhere else makes the address unreadable.
  if (/[[\]]/.test(port) || (bracketed === undefined && /[[\]]/.test(host)) || bracketed?.includes('['))
    return undefined;
  return { host, port };
}

export function joinHostPort(host: string, port: string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
