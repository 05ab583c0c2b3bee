/** The words of YAML. */
import type { ScalarText } from './scalar-text.ts';

interface Range {
  readonly start: number;
  readonly end: number;
}

export type MarkKind =
  | 'stream end'
  | 'document start'
  | 'document end'
  | 'block sequence'
  | 'block mapping'
  | 'block end'
  | '['
  | ']'
  | '{'
  | '}'
  | ','
  | '-'
  | 'key'
  | 'value';

export type ScalarToken = Range & { readonly kind: 'scalar'; readonly isPlain: boolean; readonly value: ScalarText };
export type NameToken = Range & { readonly kind: 'anchor' | 'alias'; readonly name: string };
export type TagToken = Range & { readonly kind: 'tag'; readonly handle: string; readonly suffix: string };
export type DirectiveToken = Range &
  (
    | { readonly kind: '%YAML'; readonly version: string }
    | { readonly kind: '%TAG'; readonly handle: string; readonly prefix: string }
  );

export type Token = (Range & { readonly kind: MarkKind }) | ScalarToken | NameToken | TagToken | DirectiveToken;
