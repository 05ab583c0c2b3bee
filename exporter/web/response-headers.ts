/** The section http_server_config: headers that every answer gets. */

import { validateHeaderValue } from 'node:http';
import { entriesOf, flag, isNothing, note, pathTo, quoted, type Reader, readFields, shown, text } from './fields.ts';

export type Header = readonly [name: string, value: string];

/** The only headers that can be configured, with their values where those are few. */
const configurable: Readonly<Record<string, readonly string[]>> = {
  'Strict-Transport-Security': [],
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': [],
  'Content-Security-Policy': [],
};

/** http2 is read and has no effect: every client that speaks HTTP/2 agrees on HTTP/1.1 when TLS starts. */
export const httpSection: Reader<readonly Header[]> = (node, spot) =>
  readFields<{ http2: boolean; headers: readonly Header[] }>(node, spot, { http2: flag, headers }).headers?.value ?? [];

const headers: Reader<readonly Header[]> = (node, spot) =>
  entriesOf(node, spot).flatMap(({ key, keyPlace, value }) => {
    const allowed = Object.hasOwn(configurable, key) ? configurable[key] : undefined;
    if (allowed === undefined) {
      note(spot, {
        place: keyPlace,
        message: `the header ${quoted(key)} cannot be configured`,
        fix: `known are ${Object.keys(configurable).join(', ')}`,
      });
      return [];
    }
    const written = headerValue(allowed)(value, { ...spot, path: pathTo(spot, key) });
    return written === undefined || written === '' ? [] : [[key, written] as const];
  });

/** Empty where the header is left blank, which means that it is not sent. */
function headerValue(allowed: readonly string[]): Reader<string> {
  return (node, spot) => {
    const value = isNothing(node) ? '' : text(node, spot);
    if (value === undefined || value === '') return value;
    if (allowed.length > 0 && !allowed.includes(value))
      note(spot, { place: node.place, message: `${spot.path} is ${shown(node)}`, fix: `give ${allowed.join(' or ')}` });
    else if (!isSendable(value))
      note(spot, {
        place: node.place,
        message: `${spot.path} has characters that no header can have`,
        fix: 'write it on one line',
      });
    return value;
  };
}

function isSendable(value: string): boolean {
  try {
    validateHeaderValue('x', value);
    return true;
  } catch {
    return false;
  }
}
