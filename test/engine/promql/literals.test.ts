import { describe, expect, it } from 'vitest';
import { readDuration, readNumber } from '../../../engine/promql/number-literal.ts';
import { unquote } from '../../../engine/promql/string-literal.ts';

describe('unquote', () => {
  it.each([
    ['"plain"', 'plain'],
    ["'it\"s'", 'it"s'],
    ['`a\\d\nb`', 'a\\d\nb'],
    ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\x07\b\f\n\r\t\v\\"'],
    ["'\\''", "'"],
    ['"\\x41\\101\\u00e9\\U0001F600"', 'AAé😀'],
    ['"\\xc3\\xa9\\303\\251"', 'éé'],
    ['"µ\\n"', 'µ\n'],
    ['"\\ufeffa"', '\ufeffa'],
  ])('reads %s', (literal, text) => {
    expect(unquote(literal)).toEqual({ text, isUtf8: true });
  });

  it('says when the bytes are not UTF-8', () => {
    expect(unquote('"a\\xff"')).toEqual({ text: 'a\ufffd', isUtf8: false });
  });
});

describe('readNumber', () => {
  it.each([
    ['1.', 1],
    ['.5e1', 5],
    ['017', 15],
    ['08', 8],
    ['1_000.5', 1000.5],
    ['0x_1F', 31],
  ])('reads %s', (text, value) => {
    expect(readNumber(text)).toEqual({ ok: true, value });
  });
});

describe('readDuration', () => {
  it.each([
    ['1y2w3d4h5m6s7ms', 33_019_506.007],
    ['5m', 300],
    ['5ms', 0.005],
    ['0s', 0],
  ])('reads %s as seconds', (text, value) => {
    expect(readDuration(text)).toEqual({ ok: true, value });
  });
});
