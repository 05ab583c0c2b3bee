/**
 * Remote write 1.0: the protobuf message WriteRequest, written by hand, because a NaN must keep its exact bits.
 * https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
import type { Labels } from './query.ts';
import type { WrittenSample, WrittenSeries } from './series-writer.ts';

/** Field number and wire type of each field that is written. */
const TAG = {
  timeseries: 0x0a,
  label: 0x0a,
  sample: 0x12,
  labelName: 0x0a,
  labelValue: 0x12,
  sampleValue: 0x09,
  sampleTimestamp: 0x10,
};

/** Prometheus' own bit patterns: one NaN ends a series, the other is an ordinary result. */
const STALE_NAN = 0x7ff0_0000_0000_0002n;
const NORMAL_NAN = 0x7ff8_0000_0000_0001n;

/** The bytes of a WriteRequest, not yet compressed. */
export function encodeWriteRequest(series: readonly WrittenSeries[]): Uint8Array {
  return Buffer.concat(series.flatMap(encodeSeries));
}

function encodeSeries({ labels, samples }: WrittenSeries): Buffer[] {
  const parts = [encodedLabels(labels), ...samples.map(encodeSample)];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = Buffer.allocUnsafe(1 + varintLength(length));
  header[0] = TAG.timeseries;
  writeVarint(header, 1, length);
  return [header, ...parts];
}

/** A series is written again and again with the same label object: its bytes are worth keeping. */
const encoded = new WeakMap<Labels, Buffer>();

function encodedLabels(labels: Labels): Buffer {
  const known = encoded.get(labels);
  if (known !== undefined) return known;
  const bytes = encodeLabels(labels);
  encoded.set(labels, bytes);
  return bytes;
}

function encodeLabels(labels: Labels): Buffer {
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value, length: textLength(name) + textLength(value) }));
  const bytes = Buffer.allocUnsafe(pairs.reduce((sum, { length }) => sum + 1 + varintLength(length) + length, 0));
  let at = 0;
  for (const { name, value, length } of pairs) {
    bytes[at] = TAG.label;
    at = writeVarint(bytes, at + 1, length);
    at = writeText(bytes, at, TAG.labelName, name);
    at = writeText(bytes, at, TAG.labelValue, value);
  }
  return bytes;
}

/** Bytes of a text with its tag and its length. */
function textLength(text: string): number {
  const length = Buffer.byteLength(text);
  return 1 + varintLength(length) + length;
}

/** Returns where the next field goes, as every writer here does. */
function writeText(bytes: Buffer, at: number, tag: number, text: string): number {
  bytes[at] = tag;
  const from = writeVarint(bytes, at + 1, Buffer.byteLength(text));
  return from + bytes.write(text, from);
}

/** After the tag and the length of the sample, and the tag of its value. */
const VALUE_AT = 3;
const TIMESTAMP_AT = VALUE_AT + 8;

function encodeSample({ atMs, value }: WrittenSample): Buffer {
  const sample = Buffer.allocUnsafe(TIMESTAMP_AT + 1 + varintLength(atMs));
  sample.set([TAG.sample, sample.length - 2, TAG.sampleValue]);
  if (value === 'stale') sample.writeBigUInt64LE(STALE_NAN, VALUE_AT);
  else if (Number.isNaN(value)) sample.writeBigUInt64LE(NORMAL_NAN, VALUE_AT);
  else sample.writeDoubleLE(value, VALUE_AT);
  sample[TIMESTAMP_AT] = TAG.sampleTimestamp;
  writeVarint(sample, TIMESTAMP_AT + 1, atMs);
  return sample;
}

/** Base-128, least significant group first; all groups but the last have the high bit. `value` is never negative. */
function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let next = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[next++] = (rest % 0x80) | 0x80;
  bytes[next] = rest;
  return next + 1;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
