/** The alert-generator specification, version 1.0: every numbered item has tests that begin with its number. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ITEMS = Array.from({ length: 39 }, (_, index) => index + 1);
/** Where the specification, its harness and Prometheus disagree; C5 is about the harness alone. */
const CONTRADICTIONS = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6'];

const FILES = readdirSync(import.meta.dirname).filter((name) => /^(specification-.*|harness)\.test\.ts$/.test(name));
const text = FILES.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n');

describe('the conformance suite', () => {
  it('has a test for each item of the specification', () => {
    const numbers = new Set(
      [...text.matchAll(/^\s*'(\d+)\. /gm), ...text.matchAll(/\('(\d+)\. /g)].map(([, n]) => Number(n)),
    );
    expect([...numbers].sort((a, b) => a - b)).toEqual(ITEMS);
  });

  it('names each contradiction where it is decided', () => {
    expect(CONTRADICTIONS.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });
});
