import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namesIn } from '../../../exporter/web/client-certificate.ts';

describe('namesIn', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['DNS:a.example', ['a.example']],
    ['DNS:a.example, DNS:b.example', ['a.example', 'b.example']],
    ['DNS:*.example', ['*.example']],
    ['email:sre@example.org, URI:spiffe://example.org/a', ['sre@example.org', 'spiffe://example.org/a']],
    ['IP Address:10.0.0.1', ['10.0.0.1']],
    ['IP Address:0:0:0:0:0:0:0:1', ['::1']],
    ['IP Address:FD00:0:0:1:0:0:0:7', ['fd00:0:0:1::7']],
    ['IP Address:0:0:0:0:0:FFFF:A00:1', ['10.0.0.1']],
    ['IP Address:<invalid>', []],
    ['DirName:"CN = x", DNS:a', ['a']],
    ['othername:<unsupported>, DNS:a', ['a']],
    ['Registered ID:1.2.3, DNS:a', ['a']],
    ['DNS:"a, DNS:b"', ['a, DNS:b']],
    ['DNS:"quote\\" and \\u002c", DNS:b', ['quote" and ,', 'b']],
    ['DNS:a, junk', ['a']],
    ['junk', []],
    ['DNS:"unclosed, DNS:b', []],
  ])('%s', (text, expected) => {
    expect(namesIn(text)).toEqual(expected);
  });

  it('never finds more names than there are entries, and never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => namesIn(text).length <= text.split(':').length));
  });
});
