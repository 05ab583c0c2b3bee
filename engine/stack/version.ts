/** Versions as programs print them: `prometheus, version 2.42.0+ds`, `nginx version: nginx/1.22.1`, `v2.8.4 h1:...`. */

/** The first x.y.z in a program's own words, or undefined. */
export function readVersion(text: string): string | undefined {
  return /\d+\.\d+\.\d+/.exec(text)?.[0];
}

/** True when `version` is `minimum` or newer, part by part. */
export function isAtLeast(version: string, minimum: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of minimum.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
