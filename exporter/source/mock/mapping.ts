/** Reads a mapping that a person wrote, key by key, and notes everything that is wrong on the way. */

import type { z } from 'zod';
import { nearestNames } from '../../nearest-name.ts';
import type { FieldError } from '../../problem.ts';
import type { YamlPath } from './yaml-places.ts';

/** Something wrong at a path. `problem` goes on after its name, "is missing"; `fix` is one imperative sentence without its full stop. */
export interface Mistake {
  readonly path: YamlPath;
  readonly part: 'key' | 'value';
  readonly problem: string;
  readonly fix: string;
}

/** Where a reader stands, and where its mistakes go. */
export interface Spot {
  readonly path: YamlPath;
  readonly mistakes: Mistake[];
}

type Shape = Readonly<Record<string, z.ZodType>>;

/** What was read: a key is absent where it is not given or unusable; the mistake has been noted then. */
export type Fields<S extends Shape> = { readonly [Key in keyof S]?: z.infer<S[Key]> };

/** Reads the keys of `shape`; each schema says in its description what its key may be. Any other key is a mistake. */
export function readMapping<S extends Shape>(value: unknown, shape: S, spot: Spot): Fields<S> {
  if (!isMapping(value)) {
    note(spot, `is ${shown(value)}`, `write keys and values; known here are ${keysOf(shape)}`);
    return {};
  }
  for (const key of Object.keys(value)) if (!Object.hasOwn(shape, key)) noteUnknown(below(spot, key), key, shape);
  const read = Object.entries(shape).map(
    ([key, schema]) => [key, readField(value[key], schema, below(spot, key))] as const,
  );
  return Object.fromEntries(read.filter(([, field]) => field !== undefined)) as Fields<S>;
}

function readField(value: unknown, schema: z.ZodType, spot: Spot): unknown {
  const result = schema.safeParse(value ?? undefined);
  if (result.success) return result.data;
  note(spot, value === undefined ? 'is missing' : `is ${shown(value)}`, `give ${schema.description}`);
  return undefined;
}

function noteUnknown(spot: Spot, key: string, shape: Shape): void {
  const [nearest] = nearestNames(key, Object.keys(shape), 1);
  const fix = nearest === undefined ? `remove it; known here are ${keysOf(shape)}` : `write ${nearest}, or remove it`;
  noteKey(spot, 'is not known here', fix);
}

/** Notes a mistake in the key at a spot. */
export function noteKey({ path, mistakes }: Spot, problem: string, fix: string): void {
  mistakes.push({ path, part: 'key', problem, fix });
}

/** Notes a mistake in the value at a spot. */
export function note({ path, mistakes }: Spot, problem: string, fix: string): void {
  mistakes.push({ path, part: 'value', problem, fix });
}

export function below({ path, mistakes }: Spot, step: string | number): Spot {
  return { path: [...path, step], mistakes };
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `events[2].at`; the file itself has no name of its own. */
export function nameOf(path: YamlPath): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return steps.join('').replace(/^\./, '') || 'the file';
}

/** A value as it may stand in a message: short. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A mistake as clients of the control endpoint read it. */
export function fieldErrorOf({ path, problem, fix }: Mistake): FieldError {
  return { field: path.length === 0 ? 'body' : nameOf(path), problem, fix };
}

function keysOf(shape: Shape): string {
  return Object.keys(shape).join(', ');
}
