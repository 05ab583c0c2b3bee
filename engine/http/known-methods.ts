/** A path that is known answers other methods with 405 and those it takes, as RFC 9110 wants it. */
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import { Problem } from './problem.ts';

/**
 * Express middleware that refuses requests whose path has a route in one of the routers, but none for the method. It stands
 * before them, so that /agents/register is no agent whose id is "register". OPTIONS is left to express.
 */
export function refuseOtherMethods(routers: readonly Router[]): Router {
  const known = Router();
  const paths = [...methodsByPath(routers)].sort(([a], [b]) => Number(hasParameter(a)) - Number(hasParameter(b)));
  for (const [path, methods] of paths) known.all(path, methodCheck(methods));
  known.use(leaveToRoutes);
  return known;
}

function methodsByPath(routers: readonly Router[]): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, Set<string>>();
  for (const { route } of routers.flatMap(({ stack }) => stack)) {
    if (route === undefined) continue;
    const ofPath = methods.get(route.path) ?? new Set<string>();
    for (const { method } of route.stack) {
      ofPath.add(method.toUpperCase());
      if (method === 'get') ofPath.add('HEAD');
    }
    methods.set(route.path, ofPath);
  }
  return methods;
}

function hasParameter(path: string): boolean {
  return path.includes(':');
}

function methodCheck(methods: ReadonlySet<string>): RequestHandler {
  const allowed = [...methods].join(', ');
  return (req, res, next) => {
    if (req.method === 'OPTIONS' || methods.has(req.method)) return next('router');
    res.setHeader('allow', allowed);
    throw new Problem(405, `${req.path} does not take ${req.method}: send ${allowed.replaceAll(', ', ' or ')}`);
  };
}

/** A path that cannot be decoded is refused by its route, in the form that its clients read. */
const leaveToRoutes: ErrorRequestHandler = (error, _req, _res, next) =>
  next(error instanceof Problem ? error : undefined);
