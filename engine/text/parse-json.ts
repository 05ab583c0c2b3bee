/** The value that a JSON text writes; undefined, which JSON cannot write, when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
