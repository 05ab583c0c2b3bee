import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldWords } from '../../../engine/text/field-words.ts';

function said(schema: z.ZodType, input: unknown): readonly string[] {
  return (schema.safeParse(input, { error: fieldWords }).error?.issues ?? []).map(({ message }) => message);
}

describe('fieldWords', () => {
  it.each([
    ['a number that is too large', z.number().max(100), 250, 'it is 250, and must be at most 100'],
    ['a number that is too small', z.number().min(0), -1, 'it is -1, and must be at least 0'],
    ['a number at a limit', z.number().positive(), 0, 'it is 0, and must be more than 0'],
    ['a number below a limit', z.number().lt(5), 5, 'it is 5, and must be less than 5'],
    ['a part of a number', z.int(), 1.5, 'it is 1.5, and must be a whole number'],
    ['no number', z.number(), Number.NaN, 'it is NaN, and must be a number'],
    ['no text', z.string().min(1), '', 'it is "", and must have at least 1 character'],
    ['too long a text', z.string().max(2), 'abc', 'it is "abc", and must have at most 2 characters'],
    ['a long list', z.array(z.int()).max(1), [1, 2], 'it is a list, and must have at most 1 entries'],
    ['nothing', z.string(), undefined, 'it is missing, and must be text'],
    ['null', z.boolean(), null, 'it is null, and must be true or false'],
    ['an object', z.array(z.string()), {}, 'it is an object, and must be a list'],
    ['another word', z.enum(['a', 'b']), 'c', 'it is "c", and must be one of a, b'],
    ['another constant', z.literal('true'), true, 'it is true, and must be true'],
    ['no instant', z.iso.datetime(), 'now', 'it is "now", and must be an instant such as 2026-01-02T03:04:05Z'],
    ['another shape', z.string().regex(/^a$/), 'b', 'it is "b", which is not expected here'],
    ['a message of its own', z.string().regex(/^a$/, 'write a'), 'b', 'write a'],
    ['an unknown field', z.strictObject({ a: z.any() }), { a: 1, b: 2 }, '"b" is not known here; known: a'],
    ['unknown fields', z.strictObject({}), { b: 2, c: 3 }, '"b" and "c" are not known here; leave it out'],
    ['signs that nobody sees', z.literal('a'), '\u202e\u0000', 'it is "  ", and must be a'],
    ['no end', z.literal('a'), 'x'.repeat(99), `it is "${'x'.repeat(60)}…", and must be a`],
  ])('%s', (_, schema, input, words) => {
    expect(said(schema, input)).toEqual([words]);
  });
});
