/** The two whole numbers inside a double. */

const BITS = new DataView(new ArrayBuffer(8));

/** `value = mantissa * 2^exponent`, exactly; `value` is finite and not negative. Normal numbers have 53 bits of mantissa. */
export function splitDouble(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  BITS.setFloat64(0, value);
  const bits = BITS.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  if (biased === 0) return { mantissa: fraction, exponent: -1074 };
  return { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

/** `value` cut to an int64; what does not fit becomes the smallest number, as on the processors Prometheus runs on. */
export function toInt64(value: number): bigint {
  return value >= -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : -(1n << 63n);
}
