/** Any value under any verb of printf, with the texts Go writes where the two do not fit. */
import { type Flags, NO_FLAGS, pad } from './flags.ts';
import { formatComplex, formatFloatVerb } from './float-verb.ts';
import { toBytes } from './go-bytes.ts';
import { canBackquote, quote } from './go-quote.ts';
import { timeSyntax } from './go-time.ts';
import { formatInteger } from './integer-verb.ts';
import { textOfStringer } from './stringer.ts';
import {
  type GoMap,
  type GoObject,
  isObject,
  type Pointer,
  type Struct,
  sortedKeys,
  type Time,
  typeName,
  type Value,
} from './value.ts';

// Addresses differ from run to run in Prometheus too; one fixed number keeps an alert's text from changing at every evaluation.
const ADDRESS = 0xc000000000n;

/** `value` as printf writes it for `verb`. */
export function formatVerb(value: Value, verb: string, flags: Flags): string {
  if (value === undefined) return verb === 'v' || verb === 'T' ? pad('<nil>', flags) : `%!${verb}(<nil>)`;
  if (verb === 'T') return formatText(typeName(value), 's', flags) ?? '';
  if (verb === 'p') return formatAddress(value, verb, flags);
  return formatAt(value, verb, flags, 0);
}

/** `value` as `print` and a plain action write it. */
export function formatPlain(value: Value): string {
  return typeof value === 'string' ? value : formatVerb(value, 'v', NO_FLAGS);
}

function formatAt(value: Value, verb: string, flags: Flags, depth: number): string {
  // Only an error can be wrapped, and then it reads like any value.
  if (verb === 'w') return isObject(value) && value.kind === 'error' ? value.message : badVerb(value, verb, flags);
  const own = flags.sharpV ? ownSyntax(value) : ownText(value, verb);
  if (own !== undefined) return formatText(own, flags.sharpV ? 's' : verb, flags) ?? '';
  return (
    formatSimple(value, verb, flags) ??
    (isObject(value) ? formatObject(value, verb, flags, depth) : badVerb(value, verb, flags))
  );
}

/** What the value's own String method says, for the verbs that ask for text. */
function ownText(value: Value, verb: string): string | undefined {
  return /^[vsxXq]$/.test(verb) ? textOfStringer(value) : undefined;
}

/** What the value's own GoString method says, for `%#v`; only times have one. */
function ownSyntax(value: Value): string | undefined {
  const target = isObject(value) && value.kind === 'pointer' ? value.to : value;
  return isObject(target) && target.kind === 'time' ? timeSyntax(target.ns) : undefined;
}

/** Undefined when the value is a structure, or the verb does not fit. */
function formatSimple(value: Value, verb: string, flags: Flags): string | undefined {
  switch (typeof value) {
    case 'string':
      return formatText(value, verb, flags);
    case 'number':
      return formatFloatVerb(value, verb, flags);
    case 'bigint':
      return formatInteger(value, verb, flags);
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(String(value), flags) : undefined;
    default:
      return undefined;
  }
}

function formatText(text: string, verb: string, flags: Flags): string | undefined {
  const cut =
    flags.precision === undefined || verb === 'x' || verb === 'X' ? text : [...text].slice(0, flags.precision).join('');
  switch (verb) {
    case 'v':
      return flags.sharpV ? formatQuoted(cut, flags) : pad(cut, flags);
    case 's':
      return pad(cut, flags);
    case 'q':
      return formatQuoted(cut, flags);
    case 'x':
    case 'X':
      return formatHex(toBytes(text), verb, flags);
    default:
      return undefined;
  }
}

function formatQuoted(text: string, flags: Flags): string {
  if (flags.sharp && canBackquote(text)) return pad(`\`${text}\``, flags);
  return pad(quote(text, flags.plus), flags);
}

function formatHex(bytes: Uint8Array, verb: string, flags: Flags): string {
  const pairs = [...bytes.subarray(0, flags.precision)].map((byte) => byte.toString(16).padStart(2, '0'));
  const prefix = flags.sharp && pairs.length > 0 ? '0x' : '';
  const text = prefix + pairs.join(flags.space ? ` ${prefix}` : '');
  return pad(verb === 'X' ? text.toUpperCase() : text, flags);
}

function formatObject(value: GoObject, verb: string, flags: Flags, depth: number): string {
  switch (value.kind) {
    case 'interface':
      if (value.held !== undefined) return formatAt(value.held, verb, flags, depth + 1);
      return flags.sharpV ? 'interface {}(nil)' : '<nil>';
    case 'whole':
      return formatInteger(value.value, verb, flags) ?? badVerb(value, verb, flags);
    case 'complex':
      return formatComplex(value, verb, flags) ?? badVerb(value, verb, flags);
    case 'html':
      return formatText(value.text, verb, flags) ?? badVerb(value, verb, flags);
    case 'map':
      return formatMap(value, verb, flags, depth);
    case 'bytes':
      return formatBytes(value.bytes, verb, flags, depth);
    case 'samples':
      return formatList(value.items, typeName(value), verb, flags, depth);
    case 'struct':
      return formatStruct(value, verb, flags, depth);
    case 'time':
      return formatStruct(insideTime(value), verb, flags, depth);
    case 'pointer':
      return formatPointer(value, verb, flags, depth);
    default:
      return badVerb(value, verb, flags);
  }
}

function formatMap(map: GoMap, verb: string, flags: Flags, depth: number): string {
  const pairs = sortedKeys(map).map((key) => {
    return `${formatAt(key, verb, flags, depth + 1)}:${formatAt(map.entries[key], verb, flags, depth + 1)}`;
  });
  return flags.sharpV ? `${typeName(map)}{${pairs.join(', ')}}` : `map[${pairs.join(' ')}]`;
}

function formatBytes(bytes: Uint8Array, verb: string, flags: Flags, depth: number): string {
  if (verb === 'x' || verb === 'X') return formatHex(bytes, verb, flags);
  if (verb === 's' || verb === 'q') return formatText(new TextDecoder().decode(bytes), verb, flags) ?? '';
  return formatList([...bytes].map(BigInt), '[]byte', verb, flags, depth);
}

function formatList(items: readonly Value[], type: string, verb: string, flags: Flags, depth: number): string {
  const texts = items.map((item) => formatAt(item, verb, flags, depth + 1));
  return flags.sharpV ? `${type}{${texts.join(', ')}}` : `[${texts.join(' ')}]`;
}

function formatStruct(struct: Struct, verb: string, flags: Flags, depth: number): string {
  const isNamed = flags.plusV || flags.sharpV;
  const fields = Object.entries(struct.fields).map(([name, value]) => {
    return (isNamed ? `${name}:` : '') + formatAt(value, verb, flags, depth + 1);
  });
  return flags.sharpV ? `${struct.type}{${fields.join(', ')}}` : `{${fields.join(' ')}}`;
}

/** What a time holds: the nanoseconds of its second, the seconds since the year 1, and no location for UTC. */
function insideTime({ ns }: Time): Struct {
  const second = 1_000_000_000n;
  const nanoseconds = ((ns % second) + second) % second;
  const wall = { kind: 'whole', type: 'uint64', value: nanoseconds } as const;
  const ext = { kind: 'whole', type: 'int64', value: (ns - nanoseconds) / second + 62_135_596_800n } as const;
  const loc = { kind: 'pointer', type: 'time.Location', to: undefined } as const;
  return { kind: 'struct', type: 'time.Time', fields: { wall, ext, loc } };
}

/** A pointer shows what it points at, but only when it is not itself inside something. */
function formatPointer(pointer: Pointer, verb: string, flags: Flags, depth: number): string {
  const { to } = pointer;
  if (depth === 0 && isObject(to) && (to.kind === 'struct' || to.kind === 'time')) {
    return `&${formatObject(to, verb, flags, depth + 1)}`;
  }
  return formatAddress(pointer, verb, flags);
}

function formatAddress(value: Value, verb: string, flags: Flags): string {
  const isReference = isObject(value) && /^(?:pointer|map|samples|bytes)$/.test(value.kind);
  if (!isReference) return badVerb(value, verb, flags);
  const address = value.kind === 'pointer' && value.to === undefined ? 0n : ADDRESS;
  if (verb === 'v' && flags.sharpV)
    return `(${typeName(value)})(${address === 0n ? 'nil' : `0x${address.toString(16)}`})`;
  if (verb === 'v' && address === 0n) return pad('<nil>', flags);
  if (verb === 'v' || verb === 'p') return formatInteger(address, 'x', { ...flags, sharp: !flags.sharp }) ?? '';
  return (/^[bodxX]$/.test(verb) ? formatInteger(address, verb, flags) : undefined) ?? badVerb(value, verb, flags);
}

/** Go's answer to a verb that the value has no text for: `%!d(string=hi)`. */
function badVerb(value: Value, verb: string, flags: Flags): string {
  const text = isObject(value) ? withoutMethods(value, flags) : formatAt(value, 'v', flags, 0);
  return `%!${verb}(${typeName(value)}=${text})`;
}

function withoutMethods(value: GoObject, flags: Flags): string {
  return value.kind === 'location' ? 'UTC' : formatObject(value, 'v', flags, 0);
}
