/** Command lines as Go's flag package reads them, which dcgm-exporter's are: one dash or two, `-name=value` or `-name value`. */

export interface GoFlag {
  /** Without dashes. */
  readonly names: readonly string[];
  /** A switch takes a value after = only. */
  readonly isSwitch: boolean;
}

export interface GivenFlag<Flag extends GoFlag> {
  readonly flag: Flag;
  /** As it was typed: `--collectors`, `-f`. */
  readonly spelling: string;
  readonly value: string;
}

interface GoArguments<Flag extends GoFlag> {
  /** In the order of the command line. */
  readonly given: readonly GivenFlag<Flag>[];
  /** What is not one of the flags, untouched and in its order. */
  readonly rest: readonly string[];
  readonly problems: readonly string[];
}

/** Takes the known flags out of `argv`. After `--` there are none. */
export function takeGoFlags<Flag extends GoFlag>(argv: readonly string[], flags: readonly Flag[]): GoArguments<Flag> {
  const byName = new Map(flags.flatMap((flag) => flag.names.map((name) => [name, flag] as const)));
  const steps = [...readArguments(argv, byName)];
  return {
    given: steps.flatMap((step) => (step.kind === 'given' ? [step.given] : [])),
    rest: steps.flatMap((step) => (step.kind === 'rest' ? step.words : [])),
    problems: steps.flatMap((step) => (step.kind === 'problem' ? [step.problem] : [])),
  };
}

/** `used` is how many arguments it is made of. */
type Step<Flag extends GoFlag> =
  | { readonly kind: 'given'; readonly given: GivenFlag<Flag>; readonly used: number }
  | { readonly kind: 'rest'; readonly words: readonly string[]; readonly used: number }
  | { readonly kind: 'problem'; readonly problem: string; readonly used: number };

function* readArguments<Flag extends GoFlag>(
  argv: readonly string[],
  byName: ReadonlyMap<string, Flag>,
): Generator<Step<Flag>> {
  let index = 0;
  while (index < argv.length) {
    const [word = '', next] = argv.slice(index, index + 2);
    const step = word === '--' ? untouched(argv.slice(index)) : readArgument(word, next, byName);
    yield step;
    index += step.used;
  }
}

function readArgument<Flag extends GoFlag>(
  word: string,
  next: string | undefined,
  byName: ReadonlyMap<string, Flag>,
): Step<Flag> {
  const [, spelling = word, name = '', value] = /^(--?([^-=][^=]*))(?:=(.*))?$/s.exec(word) ?? [];
  const flag = byName.get(name);
  const nextValue = next?.startsWith('-') ? undefined : next;
  if (flag === undefined)
    return untouched(name === '' || value !== undefined || nextValue === undefined ? [word] : [word, nextValue]);
  if (value !== undefined) return { kind: 'given', given: { flag, spelling, value }, used: 1 };
  if (flag.isSwitch) return readSwitch(flag, spelling, nextValue);
  if (nextValue === undefined) return problem(`${spelling} needs a value: write ${spelling}=VALUE.`, 1);
  return { kind: 'given', given: { flag, spelling, value: nextValue }, used: 2 };
}

// Go would take the word for an argument, and not read a single flag after it.
function readSwitch<Flag extends GoFlag>(flag: Flag, spelling: string, next: string | undefined): Step<Flag> {
  if (next !== undefined && goBoolean(next) !== undefined)
    return problem(`${spelling} takes its value after an equals sign: write ${spelling}=${next}.`, 2);
  return { kind: 'given', given: { flag, spelling, value: 'true' }, used: 1 };
}

function untouched(words: readonly string[]): { kind: 'rest'; words: readonly string[]; used: number } {
  return { kind: 'rest', words, used: words.length };
}

function problem(text: string, used: number): { kind: 'problem'; problem: string; used: number } {
  return { kind: 'problem', problem: text, used };
}

const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const untruths = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** What Go's strconv.ParseBool makes of a text; undefined for what it refuses. */
export function goBoolean(text: string): boolean | undefined {
  if (truths.includes(text)) return true;
  return untruths.includes(text) ? false : undefined;
}
