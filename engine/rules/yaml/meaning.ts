/** What a scalar means: null, a number or text, by the rules of the reader that Prometheus is built with. */
import type { ScalarNode } from './node.ts';

export type ScalarMeaning =
  | { readonly kind: 'null' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integer' | 'fraction'; readonly number: number; readonly text: string }
  | { readonly kind: 'misfit'; readonly message: string };

const STANDARD_TAGS = 'tag:yaml.org,2002:';
const NULLS = ['', '~', 'null', 'Null', 'NULL'];
const BOOLEANS = ['true', 'True', 'TRUE', 'false', 'False', 'FALSE'];
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}.*)?$/;

export function meaningOf(node: ScalarNode): ScalarMeaning {
  const { text } = node.value;
  const tag = node.tag.startsWith(STANDARD_TAGS) ? `!!${node.tag.slice(STANDARD_TAGS.length)}` : node.tag;
  if (tag === '' || tag === '!') return node.isPlain ? plainMeaning(text) : { kind: 'text', text };
  return taggedMeaning(tag, text);
}

function plainMeaning(text: string): ScalarMeaning {
  if (NULLS.includes(text)) return { kind: 'null' };
  return numberMeaning(text) ?? { kind: 'text', text };
}

function taggedMeaning(tag: string, text: string): ScalarMeaning {
  const plain = plainMeaning(text);
  const misfit: ScalarMeaning = { kind: 'misfit', message: `${JSON.stringify(text)} does not fit its tag ${tag}` };
  switch (tag) {
    case '!!null':
      return plain.kind === 'null' ? plain : misfit;
    case '!!int':
      return plain.kind === 'integer' ? plain : misfit;
    case '!!float':
      return plain.kind === 'integer' || plain.kind === 'fraction' ? plain : misfit;
    case '!!bool':
      return BOOLEANS.includes(text) ? { kind: 'text', text } : misfit;
    case '!!timestamp':
      return DATE.test(text) ? { kind: 'text', text } : misfit;
    case '!!binary':
      return binaryMeaning(text) ?? misfit;
    default:
      return { kind: 'text', text };
  }
}

function binaryMeaning(text: string): ScalarMeaning | undefined {
  const base64 = text.replace(/[\r\n]/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64')) };
  } catch {
    return { kind: 'misfit', message: 'the !!binary text is not UTF-8' };
  }
}

const SPECIAL: Readonly<Record<string, number>> = {
  '.inf': Infinity,
  '.Inf': Infinity,
  '.INF': Infinity,
  '+.inf': Infinity,
  '+.Inf': Infinity,
  '+.INF': Infinity,
  '-.inf': -Infinity,
  '-.Inf': -Infinity,
  '-.INF': -Infinity,
  '.nan': Number.NaN,
  '.NaN': Number.NaN,
  '.NAN': Number.NaN,
};

const INTEGER = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/;
const FRACTION = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;

function numberMeaning(text: string): ScalarMeaning | undefined {
  if (Object.hasOwn(SPECIAL, text)) return { kind: 'fraction', number: SPECIAL[text] ?? 0, text };
  if (!/^[-+.\d]/.test(text)) return undefined;
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '');
  const [isInteger, sign = '', hex, binary, octal, decimal] = INTEGER.exec(digits) ?? [];
  if (isInteger !== undefined) {
    const size = Number(hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : decimal);
    return { kind: 'integer', number: sign === '-' ? -size : size, text };
  }
  return FRACTION.test(digits) ? { kind: 'fraction', number: Number(digits), text } : undefined;
}
