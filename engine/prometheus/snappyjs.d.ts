/** snappyjs ships no types; this is the one function that remote write needs. */
declare module 'snappyjs' {
  /** Compresses into the Snappy block format. */
  export function compress(input: Uint8Array): Uint8Array;
}
