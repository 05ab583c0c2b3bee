/** Floating-point and complex numbers under printf's verbs `%v %e %E %f %F %g %G %b %x %X`. */
import { type Flags, pad } from './flags.ts';
import { type FloatForm, formatFloat } from './go-number.ts';
import type { Complex } from './value.ts';

const FORMS: Readonly<Record<string, { readonly form: FloatForm; readonly precision?: number }>> = {
  v: { form: 'g' },
  g: { form: 'g' },
  G: { form: 'G' },
  b: { form: 'b' },
  x: { form: 'x' },
  X: { form: 'X' },
  e: { form: 'e', precision: 6 },
  E: { form: 'E', precision: 6 },
  f: { form: 'f', precision: 6 },
  F: { form: 'f', precision: 6 },
};

/** The text of the number; undefined when the verb is not for numbers with a fraction. */
export function formatFloatVerb(value: number, verb: string, flags: Flags): string | undefined {
  const known = FORMS[verb];
  if (known === undefined) return undefined;
  const precision = flags.precision ?? known.precision;
  const text = formatFloat(value, known.form, precision);
  const isSigned = /^[+-]/.test(text);
  const sign = isSigned && text[0] === '-' ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  const unsigned = isSigned ? text.slice(1) : text;
  if (!Number.isFinite(value)) return formatSpecial(value, sign, unsigned, flags);
  return padSigned(sign, flags.sharp && known.form !== 'b' ? keepPoint(unsigned, verb, precision) : unsigned, flags);
}

/** `(1+2i)`; undefined when the verb is not for numbers with a fraction. */
export function formatComplex({ real, imaginary }: Complex, verb: string, flags: Flags): string | undefined {
  const left = formatFloatVerb(real, verb, flags);
  const right = formatFloatVerb(imaginary, verb, { ...flags, plus: true });
  return left === undefined || right === undefined ? undefined : `(${left}${right}i)`;
}

/** Infinities always show their sign; neither they nor NaN are filled with zeros. */
function formatSpecial(value: number, sign: string, unsigned: string, flags: Flags): string {
  const shown = Number.isNaN(value) ? sign : sign || '+';
  return pad(shown + unsigned, { ...flags, zero: false });
}

function padSigned(sign: string, unsigned: string, flags: Flags): string {
  if (sign === '' || !flags.zero || flags.minus || flags.width === undefined) return pad(sign + unsigned, flags);
  return sign + pad(unsigned, { ...flags, width: Math.max(0, flags.width - sign.length) });
}

/** `#` keeps the point, and for `%g` the zeros after it. */
function keepPoint(text: string, verb: string, precision: number | undefined): string {
  const [, mantissa = text, tail = ''] = (/[xX]/.test(verb) ? /^(.*?)(p.*)?$/i : /^(.*?)(e.*)?$/i).exec(text) ?? [];
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`;
  if (!/[vgGx]/.test(verb)) return pointed + tail;
  const wanted = precision ?? 6;
  const significant = /^0\.?$/.test(mantissa) ? 1 : mantissa.replace('.', '').replace(/^0+/, '').length;
  return pointed + '0'.repeat(Math.max(0, wanted - significant)) + tail;
}
