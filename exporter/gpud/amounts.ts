/** Amounts as text, as GPUd's clients show them. Nothing is said of what is not known. */

const binaryUnits = ['MiB', 'GiB', 'TiB'] as const;

/** `640 MiB`, `80 GiB`, `1.5 GiB`: one decimal below ten. */
export function memoryText(mib: number | undefined): string | undefined {
  if (mib === undefined) return undefined;
  const step = mib < 1 ? 0 : Math.min(binaryUnits.length - 1, Math.floor(Math.log2(mib) / 10));
  const amount = mib / 1024 ** step;
  const isWhole = amount >= 10 || step === 0;
  return `${isWhole ? Math.round(amount) : Math.round(amount * 10) / 10} ${binaryUnits[step]}`;
}

/** `12.50`; a whole of 0 has no share. */
export function percentText(part: number | undefined, whole: number | undefined): string | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : ((100 * part) / whole).toFixed(2);
}
