/** `print`, `println` and `printf` as Go's fmt has them, with its texts for formats and arguments that do not fit. */
import { type Flags, NO_FLAGS } from './flags.ts';
import { textOf, typeName, unwrap, type Value, wholeOf } from './value.ts';
import { formatPlain, formatVerb } from './verb.ts';

/** Widths and precisions beyond this are taken for mistakes. */
const MAX_NUMBER = 1_000_000;

/** Values side by side, with a blank between two that are both no text. */
export function print(values: readonly Value[]): string {
  let text = '';
  let wasText = true;
  values.forEach((value, index) => {
    const isText = textOf(value) !== undefined;
    text += (index > 0 && !isText && !wasText ? ' ' : '') + formatPlain(value);
    wasText = isText;
  });
  return text;
}

/** Values with blanks between them, and a new line. */
export function println(values: readonly Value[]): string {
  return `${values.map(formatPlain).join(' ')}\n`;
}

/** `format` with its verbs filled from `values`. */
export function printf(format: string, values: readonly Value[]): string {
  return new Formatter(format, values.map(unwrap)).run();
}

class Formatter {
  readonly #format: string;
  readonly #values: readonly Value[];
  #at = 0;
  #next = 0;
  /** Whether the verb at hand names existing arguments only. */
  #isIndexGood = true;
  /** Whether any verb named its argument; then nobody can tell which are left over. */
  #isReordered = false;
  #afterIndex = false;

  constructor(format: string, values: readonly Value[]) {
    this.#format = format;
    this.#values = values;
  }

  run(): string {
    let text = '';
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      text += this.#format.slice(this.#at, percent === -1 ? undefined : percent);
      if (percent === -1) break;
      this.#at = percent + 1;
      text += this.#directive();
    }
    return text + this.#leftOver();
  }

  #directive(): string {
    this.#isIndexGood = true;
    this.#afterIndex = false;
    const flags = this.#flags();
    this.#argumentIndex();
    const width = this.#width();
    const precision = this.#precision();
    if (!this.#afterIndex) this.#argumentIndex();
    const letter = this.#format.codePointAt(this.#at);
    if (letter === undefined) return `${width.complaint}${precision.complaint}%!(NOVERB)`;
    const verb = String.fromCodePoint(letter);
    this.#at += verb.length;
    const left = width.isNegative ? { minus: true, zero: false } : {};
    const all = { ...flags, ...left, width: width.value, precision: precision.value };
    return width.complaint + precision.complaint + this.#verb(verb, all);
  }

  #verb(verb: string, flags: Flags): string {
    if (verb === '%') return '%';
    if (!this.#isIndexGood) return `%!${verb}(BADINDEX)`;
    if (this.#next >= this.#values.length) return `%!${verb}(MISSING)`;
    const value = this.#values[this.#next++];
    return formatVerb(value, verb, verb === 'v' || verb === 'w' ? goSyntax(flags) : flags);
  }

  #flags(): Flags {
    const start = this.#at;
    while (/^[-+# 0]$/.test(this.#format[this.#at] ?? '')) this.#at++;
    const has = (flag: string) => this.#format.slice(start, this.#at).includes(flag);
    return { ...NO_FLAGS, plus: has('+'), minus: has('-'), sharp: has('#'), space: has(' '), zero: has('0') };
  }

  #width(): Amount {
    if (this.#format[this.#at] === '*') return this.#amountFromArgument('%!(BADWIDTH)');
    const value = this.#number();
    if (this.#afterIndex && value !== undefined) this.#isIndexGood = false;
    return { value, complaint: '' };
  }

  #precision(): Amount {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length)
      return { value: undefined, complaint: '' };
    this.#at++;
    if (this.#afterIndex) this.#isIndexGood = false;
    this.#argumentIndex();
    if (this.#format[this.#at] !== '*') return { value: this.#number() ?? 0, complaint: '' };
    const amount = this.#amountFromArgument('%!(BADPREC)');
    return amount.isNegative ? { value: undefined, complaint: '%!(BADPREC)' } : amount;
  }

  #amountFromArgument(complaint: string): Amount {
    this.#at++;
    this.#afterIndex = false;
    if (this.#next >= this.#values.length) return { value: undefined, complaint };
    const whole = wholeOf(this.#values[this.#next++]);
    if (whole === undefined || whole > MAX_NUMBER || whole < -MAX_NUMBER) return { value: undefined, complaint };
    return { value: Math.abs(Number(whole)), complaint: '', isNegative: whole < 0n };
  }

  /** A number that is far too long ends the format, as in Go. */
  #number(): number | undefined {
    const digits = /^\d+/.exec(this.#format.slice(this.#at, this.#at + 10))?.[0];
    if (digits === undefined) return undefined;
    this.#at += digits.length;
    if (Number(digits.slice(0, -1)) <= MAX_NUMBER) return Number(digits);
    this.#at = this.#format.length;
    return undefined;
  }

  #argumentIndex(): void {
    this.#afterIndex = false;
    if (this.#format[this.#at] !== '[') return;
    this.#isReordered = true;
    const end = this.#format.indexOf(']', this.#at);
    const inside = end === -1 ? '' : this.#format.slice(this.#at + 1, end);
    this.#at = end === -1 ? this.#at + 1 : end + 1;
    const index = /^\d{1,7}$/.test(inside) ? Number(inside) - 1 : undefined;
    this.#afterIndex = index !== undefined;
    if (index !== undefined && index >= 0 && index < this.#values.length) this.#next = index;
    else this.#isIndexGood = false;
  }

  #leftOver(): string {
    if (this.#isReordered || this.#next >= this.#values.length) return '';
    const rest = this.#values.slice(this.#next).map((value) => {
      return value === undefined ? '<nil>' : `${typeName(value)}=${formatVerb(value, 'v', NO_FLAGS)}`;
    });
    return `%!(EXTRA ${rest.join(', ')})`;
  }
}

interface Amount {
  readonly value: number | undefined;
  /** Go's text for an argument that is no amount. */
  readonly complaint: string;
  readonly isNegative?: boolean;
}

function goSyntax(flags: Flags): Flags {
  return { ...flags, sharpV: flags.sharp, sharp: false, plusV: flags.plus, plus: false };
}
