import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecords, splitLines } from '../../../../exporter/metrics/dcgm/csv-records.ts';

function read(text: string) {
  const { records, mistakes } = readRecords(splitLines(text));
  return {
    records: records.map((record) => record.map((field) => field.text)),
    mistakes: mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`),
  };
}

const bareQuote = 'a double quote stands inside a field that does not begin with one.';
const afterQuote = 'after the closing double quote of a field comes neither a comma nor the end of the line.';
const neverClosed = 'this double quote is never closed.';

describe('readRecords', () => {
  // Each of these was also given to Go 1.26's encoding/csv with Comment set to #, and read the same.
  it.each([
    { what: 'nothing', text: '', records: [] },
    { what: 'only line ends', text: '\n\r\n\n', records: [] },
    { what: 'no end of the last line', text: 'a,b', records: [['a', 'b']] },
    {
      what: 'Windows line ends',
      text: 'a,b\r\nc,d\r\n',
      records: [
        ['a', 'b'],
        ['c', 'd'],
      ],
    },
    { what: 'a \\r before the end of the file', text: 'a\r', records: [['a']] },
    { what: 'a \\r that ends no line', text: 'a\rb\n', records: [['a\rb']] },
    { what: 'one \\r of two', text: 'a\r\r\n', records: [['a\r']] },
    { what: 'comments', text: '#a,b\n# "\na\n#', records: [['a']] },
    { what: 'a # that is not first', text: ' #a\nb#c,#\n', records: [[' #a'], ['b#c', '#']] },
    { what: 'a line of blanks', text: 'a\n  \nb', records: [['a'], ['  '], ['b']] },
    { what: 'blanks around fields', text: ' a , b\t\n', records: [[' a ', ' b\t']] },
    {
      what: 'empty fields',
      text: ',\n,,',
      records: [
        ['', ''],
        ['', '', ''],
      ],
    },
    { what: 'quoted fields', text: '"a","b,c",""\n', records: [['a', 'b,c', '']] },
    { what: 'doubled quotes', text: '"a""b",""""', records: [['a"b', '"']] },
    { what: 'line ends in quotes', text: '"a\r\n#b\n\nc",d\n', records: [['a\n#b\n\nc', 'd']] },
    { what: 'a NUL', text: 'a\0b', records: [['a\0b']] },
  ])('reads $what as Go does', ({ text, records }) => {
    expect(read(text)).toEqual({ records, mistakes: [] });
  });

  it.each([
    { what: 'a quote inside a plain field', text: 'a"b,c', mistake: `1:2 ${bareQuote}` },
    { what: 'a quote after a blank', text: 'x, "y"', mistake: `1:4 ${bareQuote}` },
    { what: 'text after a closing quote', text: '"a" ,b', mistake: `1:4 ${afterQuote}` },
    { what: 'a # after a closing quote', text: '"a"#b', mistake: `1:4 ${afterQuote}` },
    { what: 'a quote that is never closed', text: '\nx,"y\nz\n', mistake: `2:3 ${neverClosed}` },
    { what: 'a quote that ends the file', text: '"', mistake: `1:1 ${neverClosed}` },
  ])('refuses $what as Go does, and says where', ({ text, mistake }) => {
    expect(read(text).mistakes).toEqual([mistake]);
  });

  it('goes on after a mistake, so that all are found', () => {
    expect(read('a"\nb,c\n"d"e\nf,"g\nh,i\n')).toEqual({
      records: [
        ['b', 'c'],
        ['h', 'i'],
      ],
      mistakes: [`1:2 ${bareQuote}`, `3:4 ${afterQuote}`, `4:3 ${neverClosed}`],
    });
  });

  it('says where each field stands', () => {
    const { records } = readRecords(splitLines('#\na, "\n"b\nc",d'));
    expect(records).toEqual([
      [
        { text: 'b\nc', line: 3, column: 1, endColumn: 3 },
        { text: 'd', line: 4, column: 4, endColumn: 5 },
      ],
    ]);
  });

  it('reads what csv-parse reads, except for a # after a closing quote', () => {
    const piece = fc.constantFrom('a', 'b c', ',', ',', '"', '""', '#', ' ', '\n', '\r\n', '\r', 'é');
    const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        text.filter((candidate) => !candidate.includes('"#')),
        (candidate) => {
          const { records, mistakes } = read(candidate);
          expect(mistakes.length > 0 ? 'refused' : records).toEqual(secondOpinion(candidate));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function secondOpinion(text: string): unknown {
  const lines = text.replaceAll('\r\n', '\n').replace(/\r$/, '');
  try {
    return parse(lines, {
      comment: '#',
      comment_no_infix: true,
      record_delimiter: '\n',
      skip_empty_lines: true,
      relax_column_count: true,
    });
  } catch {
    return 'refused';
  }
}
