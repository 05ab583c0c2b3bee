/** Requests parsed once at the edge: unknown in, typed out, every problem named. */
import type { Request } from 'express';
import type { z } from 'zod';
import { fieldWords } from '../text/field-words.ts';
import { Problem } from './problem.ts';

/** Throws Problem 400 that names each wrong parameter. */
export function parseQuery<S extends z.ZodType>(schema: S, req: Request): z.output<S> {
  return parse(schema, req.query, 'query');
}

/** Throws Problem 400 that names each wrong field. */
export function parseBody<S extends z.ZodType>(schema: S, req: Request): z.output<S> {
  if (req.body === undefined) throw new Problem(415, 'send a JSON body with content-type: application/json');
  return parse(schema, req.body, 'body');
}

function parse<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(value, { error: fieldWords });
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, message }));
  const first = errors
    .map(({ pointer, message }) => `${pointer === '/' ? where : pointer.slice(1)}: ${message}`)
    .join('; ');
  throw new Problem(400, `the ${where} is not valid: ${first}`, { errors });
}
