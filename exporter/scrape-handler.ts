/** Answers scrapes on node:http itself: `/metrics` of this node, and `/nodes/NAME/metrics` of simulated ones. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { anyOf } from './any-of.ts';
import { acceptsGzip, negotiateFormat, patienceMs } from './metrics/negotiation.ts';
import { type Profiles, type ProfilesResult, parseProfiles, preferredFormat } from './metrics/profiles.ts';
import { type Problem, sendMethodNotAllowed, sendProblem } from './problem.ts';
import type { PageRequest, Scrape, ScrapePage } from './scrape.ts';

/** A node as scrapes see it. */
export interface ScrapedNode {
  readonly scrape: Scrape;
  /** Other than `ok` only for simulated nodes: one that hangs never answers, one that is down cuts the connection. */
  reachability(): 'ok' | 'hang' | 'down';
}

export interface ScrapeHandlerParts {
  /** The node at `/metrics`. */
  readonly node: ScrapedNode;
  /** A simulated node by its name. */
  readonly findNode: (name: string) => ScrapedNode | undefined;
  readonly defaultProfiles: Profiles;
  readonly onError: (error: unknown) => void;
}

/** Answers the request if it is a scrape; false leaves it to others. */
export type ScrapeHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

// Measured by test/bench/scrape.ts: 0.54-0.60 of bare node:http through express, 0.67-0.85 this way.
export function createScrapeHandler(parts: ScrapeHandlerParts): ScrapeHandler {
  const shapeOf = rememberedShapes(parts.defaultProfiles);
  return (request, response) => {
    const { url = '/' } = request;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    const node = path === '/metrics' ? parts.node : simulatedNode(path, parts);
    if (node === undefined) return false;
    const shape = shapeOf(query < 0 ? '' : url.slice(query), request.headers.accept ?? '');
    void answer({ node, shape, request, response, onError: parts.onError });
    return true;
  };
}

const nodePath = /^\/nodes\/([^/]+)\/metrics$/;

function simulatedNode(path: string, { findNode }: ScrapeHandlerParts): ScrapedNode | undefined {
  const [, name] = path.startsWith('/nodes/') ? (nodePath.exec(path) ?? []) : [];
  const decoded = name === undefined ? undefined : decodedOrNone(name);
  return decoded === undefined ? undefined : findNode(decoded);
}

function decodedOrNone(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

type Shape = Pick<PageRequest, 'profiles' | 'format'> | Problem;

const maxRemembered = 64;

/** A scraper asks in the same words every time, so what they come to is kept. */
function rememberedShapes(defaults: Profiles): (query: string, accept: string) => Shape {
  const known = new Map<string, Shape>();
  return (query, accept) => {
    const key = `${query}\n${accept}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const shape = readShape(query, accept, defaults);
    if (known.size >= maxRemembered) known.clear();
    known.set(key, shape);
    return shape;
  };
}

function readShape(query: string, accept: string, defaults: Profiles): Shape {
  const result = parseProfiles(new URLSearchParams(query).getAll('profile'), defaults);
  if (result.kind === 'unknown') return unknownProfiles(result);
  const { profiles } = result;
  return { profiles, format: negotiateFormat(accept, preferredFormat(profiles)) };
}

function unknownProfiles({ names, fix }: Extract<ProfilesResult, { kind: 'unknown' }>): Problem {
  const quoted = names.map((name) => JSON.stringify(name));
  return {
    status: 400,
    title: 'Unknown profile',
    detail: `There is no profile ${anyOf(quoted)}: ${fix}.`,
    errors: quoted.map((name) => ({ field: 'profile', problem: `no profile is called ${name}`, fix })),
  };
}

interface Scraping {
  readonly node: ScrapedNode;
  readonly shape: Shape;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly onError: (error: unknown) => void;
}

async function answer({ node, shape, request, response, onError }: Scraping): Promise<void> {
  const { method = 'GET', headers } = request;
  const reachability = node.reachability();
  if (reachability === 'down') return void request.socket.destroy();
  if (reachability === 'hang') return;
  if (method !== 'GET' && method !== 'HEAD') return sendMethodNotAllowed(response, method, ['GET', 'HEAD']);
  if ('status' in shape) return sendProblem(response, shape);
  try {
    const patience = patienceMs(headers['x-prometheus-scrape-timeout-seconds']);
    const page = await node.scrape.page({ ...shape, patienceMs: patience });
    await sendPage(response, page, acceptsGzip(headers['accept-encoding']));
  } catch (error) {
    onError(error);
    sendProblem(response, internalError);
  }
}

async function sendPage(response: ServerResponse, page: ScrapePage, isGzip: boolean): Promise<void> {
  const body = isGzip ? await page.gzipped() : page.text;
  response.setHeader('Content-Type', page.contentType);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  if (isGzip) response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** What is said when the fault is ours. */
export const internalError: Problem = {
  status: 500,
  title: 'Internal error',
  detail: 'The exporter could not answer; its log says why.',
};
