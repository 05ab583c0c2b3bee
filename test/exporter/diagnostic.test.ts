import { describe, expect, it } from 'vitest';
import { type Diagnostic, renderDiagnostics } from '../../exporter/diagnostic.ts';

const mistake: Diagnostic = { line: 2, column: 3, endColumn: 6, message: 'wrong.', fix: 'Right it.' };

describe('renderDiagnostics', () => {
  it('shows place, line, caret and fix', () => {
    expect(renderDiagnostics('a.csv', ['x', '  abc'], [mistake])).toEqual([
      ['a.csv:2:3: wrong.', '  2 |   abc', '    |   ^^^', '  fix: Right it.'].join('\n'),
    ]);
  });

  it('keeps the caret under its column after a tab, and lets no control character at the terminal', () => {
    const [shown] = renderDiagnostics('a.csv', ['', '\t\u001b[31m'], [{ ...mistake, column: 2, endColumn: 3 }]);
    expect(shown?.split('\n').slice(1, 3)).toEqual(['  2 | \t\uFFFD[31m', '    | \t^']);
  });

  it('cuts lines that no terminal shows, and leaves out those whose mistake would not be seen', () => {
    const long = 'x'.repeat(1000);
    const [shown] = renderDiagnostics('a.csv', ['', long], [{ ...mistake, endColumn: 1001 }]);
    expect(shown?.split('\n').slice(1, 3)).toEqual([`  2 | ${'x'.repeat(160)}`, `    |   ${'^'.repeat(158)}`]);
    expect(renderDiagnostics('a.csv', ['', long], [{ ...mistake, column: 500, endColumn: 501 }])).toEqual([
      'a.csv:2:500: wrong.\n  fix: Right it.',
    ]);
  });

  it('orders by line and column', () => {
    const all = [{ ...mistake, line: 10 }, { ...mistake, column: 9 }, mistake];
    const places = renderDiagnostics('a', [], all).map((text) => text.split(' ')[0]);
    expect(places).toEqual(['a:2:3:', 'a:2:9:', 'a:10:3:']);
  });

  it('shows twenty, and looks for no fix of the others', () => {
    let asked = 0;
    const fix = () => `Fix ${++asked}.`;
    const shown = renderDiagnostics(
      'a',
      [],
      Array.from({ length: 25 }, () => ({ ...mistake, fix })),
    );
    expect(shown.slice(19)).toEqual(['a:2:3: wrong.\n  fix: Fix 20.', 'a: and 5 more like these.']);
    expect(asked).toBe(20);
  });
});
