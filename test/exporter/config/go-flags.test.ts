import { describe, expect, it } from 'vitest';
import { goBoolean, takeGoFlags } from '../../../exporter/config/go-flags.ts';

const file = { names: ['file', 'f'], isSwitch: false };
const loud = { names: ['loud', 'l'], isSwitch: true };

function take(argv: readonly string[]) {
  const { given, rest, problems } = takeGoFlags(argv, [file, loud]);
  return { given: given.map(({ flag, spelling, value }) => [flag.names[0], spelling, value]), rest, problems };
}

describe('takeGoFlags', () => {
  it.each([
    { argv: ['--file', 'x'], given: [['file', '--file', 'x']] },
    { argv: ['--file=x'], given: [['file', '--file', 'x']] },
    { argv: ['-file', 'x'], given: [['file', '-file', 'x']] },
    { argv: ['-f', 'x'], given: [['file', '-f', 'x']] },
    { argv: ['-f=x'], given: [['file', '-f', 'x']] },
    { argv: ['--f', 'x'], given: [['file', '--f', 'x']] },
    { argv: ['--file=a=b'], given: [['file', '--file', 'a=b']] },
    { argv: ['--file='], given: [['file', '--file', '']] },
    {
      argv: ['-f', 'x', '-f', 'y'],
      given: [
        ['file', '-f', 'x'],
        ['file', '-f', 'y'],
      ],
    },
    { argv: ['--loud'], given: [['loud', '--loud', 'true']] },
    {
      argv: ['-l', '-f', 'x'],
      given: [
        ['loud', '-l', 'true'],
        ['file', '-f', 'x'],
      ],
    },
    { argv: ['--loud=false'], given: [['loud', '--loud', 'false']] },
  ])('reads $argv', ({ argv, given }) => {
    expect(take(argv)).toEqual({ given, rest: [], problems: [] });
  });

  it.each([
    {
      what: 'other flags and their values',
      argv: ['--port', '1', '-f', 'x', '--seed=2'],
      rest: ['--port', '1', '--seed=2'],
    },
    { what: 'a value that looks like a known name', argv: ['--name', 'f', '-f', 'x'], rest: ['--name', 'f'] },
    { what: 'another flag without a value', argv: ['--help', '-f', 'x'], rest: ['--help'] },
    { what: 'words', argv: ['doctor', '-f', 'x', '--json'], rest: ['doctor', '--json'] },
    { what: 'a single dash', argv: ['-', '-f', 'x'], rest: ['-'] },
    { what: 'all after --', argv: ['-f', 'x', '--', '-f', 'y'], rest: ['--', '-f', 'y'] },
    { what: 'names that only begin alike', argv: ['--files', 'y', '-f', 'x'], rest: ['--files', 'y'] },
  ])('leaves $what as they are', ({ argv, rest }) => {
    expect(take(argv)).toEqual({ given: [['file', '-f', 'x']], rest, problems: [] });
  });

  it.each([
    { argv: ['--file'], problem: '--file needs a value: write --file=VALUE.' },
    { argv: ['-f', '--port'], problem: '-f needs a value: write -f=VALUE.', rest: ['--port'] },
    { argv: ['--loud', 'false'], problem: '--loud takes its value after an equals sign: write --loud=false.' },
  ])('finds fault with $argv', ({ argv, problem, rest = [] }) => {
    expect(take(argv)).toEqual({ given: [], rest, problems: [problem] });
  });
});

describe('goBoolean', () => {
  it.each([
    ...['1', 't', 'T', 'true', 'True', 'TRUE'].map((text) => ({ text, value: true })),
    ...['0', 'f', 'F', 'false', 'False', 'FALSE'].map((text) => ({ text, value: false })),
    ...['', 'yes', 'on', 'tRUE', ' true', '2'].map((text) => ({ text, value: undefined })),
  ])('reads "$text" as $value', ({ text, value }) => {
    expect(goBoolean(text)).toBe(value);
  });
});
