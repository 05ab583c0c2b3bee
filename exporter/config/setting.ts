/** What a row of the settings says, and the shapes that several rows share. */

import { z } from 'zod';

/** One row is one setting: where it comes from, what it may be, and what to say when it is not. */
export interface Setting<T> {
  readonly env: string;
  /** Without the two dashes; most settings have one, in the flag's usual spelling. */
  readonly flag?: string;
  readonly what: string;
  /** As a user would write it; empty where there is none. */
  readonly fallback: string;
  readonly schema: z.ZodType<T, string>;
  readonly fix: string;
}

type Words = Pick<Setting<unknown>, 'env' | 'flag' | 'what' | 'fallback'>;

/** A whole number from `min` to `max`. */
export function wholeNumber(words: Words, [min, max]: readonly [number, number]): Setting<number> {
  const schema = z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(min).max(max));
  return { ...words, schema, fix: `give a whole number from ${min} to ${max}` };
}

/** A whole number up to `max`, where 0 leaves it open. */
export function optionalCount(words: Words, max: number): Setting<number | undefined> {
  const { schema, fix } = wholeNumber(words, [0, max]);
  return { ...words, schema: schema.transform((count) => (count === 0 ? undefined : count)), fix };
}

/** A number from `min` to `max`, with or without a fraction. */
export function decimalNumber(words: Words, [min, max]: readonly [number, number]): Setting<number> {
  const digits = z.string().regex(/^\d+(\.\d+)?$/);
  const schema = digits.transform(Number).pipe(z.number().min(min).max(max));
  return { ...words, schema, fix: `give a number from ${min} to ${max}` };
}

/** One of a few words. */
export function oneOf<const T extends string>(words: Words, choices: readonly T[]): Setting<T> {
  return { ...words, schema: z.enum(choices), fix: `give one of ${choices.join(', ')}` };
}

/** On or off, as environment variables spell it. */
export function onOff(words: Words): Setting<boolean> {
  const schema = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
  return { ...words, schema, fix: 'give true or false' };
}

/** A path that may be left out. */
export function optionalPath(words: Omit<Words, 'fallback'>): Setting<string | undefined> {
  const schema = z.string().max(4096);
  return {
    ...words,
    fallback: '',
    schema: schema.transform((text) => (text === '' ? undefined : text)),
    fix: 'give a path of at most 4096 characters',
  };
}

/** A text of 1 to `max` characters. */
export function shortText(words: Words, max: number): Setting<string> {
  return { ...words, schema: z.string().min(1).max(max), fix: `give 1 to ${max} characters` };
}
