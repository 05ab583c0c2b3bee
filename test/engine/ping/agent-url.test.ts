import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { readAgentUrl } from '../../../engine/ping/agent-url.ts';
import { STRICT, WIDEST } from './open-policy.ts';

const strict = addressGuard(STRICT);
const widest = addressGuard(WIDEST);

function problem(text: string): string | undefined {
  const url = readAgentUrl(text, strict);
  return url.kind === 'unfit' ? url.problem : undefined;
}

describe('readAgentUrl', () => {
  it.each([
    // Loopback in every spelling.
    ['http://127.0.0.1:8001', '127.0.0.1 is a loopback address'],
    ['http://127.1:8001', '127.0.0.1 is a loopback address'],
    ['http://127.0.1:8001', '127.0.0.1 is a loopback address'],
    ['http://2130706433', '127.0.0.1 is a loopback address'],
    ['http://0x7f000001', '127.0.0.1 is a loopback address'],
    ['http://0x7f.1', '127.0.0.1 is a loopback address'],
    ['http://0X7F.0X0.0X0.0X1', '127.0.0.1 is a loopback address'],
    ['http://0177.0.0.1', '127.0.0.1 is a loopback address'],
    ['http://017700000001', '127.0.0.1 is a loopback address'],
    ['http://127.0.0.1.', '127.0.0.1 is a loopback address'],
    ['http://%31%32%37.0.0.1', '127.0.0.1 is a loopback address'],
    ['http://127%2e0%2e0%2e1', '127.0.0.1 is a loopback address'],
    ['http://127。0。0。1', '127.0.0.1 is a loopback address'],
    ['http://①②⑦.⓪.⓪.①', '127.0.0.1 is a loopback address'],
    ['http://１２７.0.0.1', '127.0.0.1 is a loopback address'],
    ['http://𝟙𝟚𝟟.0.0.1', '127.0.0.1 is a loopback address'],
    ['http://[::1]:8001', '::1 is a loopback address'],
    ['http://[0:0:0:0:0:0:0:1]', '::1 is a loopback address'],
    ['http://[::ffff:127.0.0.1]', '::ffff:7f00:1 is a loopback address'],
    ['http://[::FFFF:7F00:1]', '::ffff:7f00:1 is a loopback address'],
    ['http://[64:ff9b::127.0.0.1]', '64:ff9b::7f00:1 is a loopback address'],
    ['http://localhost:8001', '127.0.0.1 is a loopback address'],
    ['http://LOCALHOST', '127.0.0.1 is a loopback address'],
    ['http://localhost.', '127.0.0.1 is a loopback address'],
    ['http://agent.localhost', '127.0.0.1 is a loopback address'],
    ['http://ⓛocalhost', '127.0.0.1 is a loopback address'],
    // Where clouds keep their secrets.
    ['http://169.254.169.254/latest/meta-data', '169.254.169.254 is a link-local address'],
    ['http://2852039166', '169.254.169.254 is a link-local address'],
    ['http://0xa9fea9fe', '169.254.169.254 is a link-local address'],
    ['http://0251.0376.0251.0376', '169.254.169.254 is a link-local address'],
    ['http://169.254.43518', '169.254.169.254 is a link-local address'],
    ['http://0xa9.254.0251.0xfe', '169.254.169.254 is a link-local address'],
    ['http://[::ffff:169.254.169.254]', '::ffff:a9fe:a9fe is a link-local address'],
    ['http://[::169.254.169.254]', '::a9fe:a9fe is a reserved address'],
    ['http://[64:ff9b::a9fe:a9fe]', '64:ff9b::a9fe:a9fe is a link-local address'],
    ['http://[2002:a9fe:a9fe::]', '2002:a9fe:a9fe:: is a 6to4 address'],
    ['http://[2001:0:a9fe:a9fe::]', '2001:0:a9fe:a9fe:: is a Teredo address'],
    ['http://[fe80::a9fe:a9fe]', 'fe80::a9fe:a9fe is a link-local address'],
    ['http://[fd00:ec2::254]', 'fd00:ec2::254 is the metadata service of a cloud'],
    ['http://[fd00:0ec2:0:0:0:0:0:254]', 'fd00:ec2::254 is the metadata service of a cloud'],
    ['http://100.100.100.200', '100.100.100.200 is the metadata service of a cloud'],
    ['http://168.63.129.16', '168.63.129.16 is the metadata service of a cloud'],
    // Inside, nowhere, everywhere.
    ['http://10.0.0.5', '10.0.0.5 is a private address'],
    ['http://192.168.257', '192.168.1.1 is a private address'],
    ['http://0xAC100001', '172.16.0.1 is a private address'],
    ['http://[fd00::1]', 'fd00::1 is a private address'],
    ['http://0', '0.0.0.0 is an unspecified address'],
    ['http://0.0.0.0:8001', '0.0.0.0 is an unspecified address'],
    ['http://[::]', ':: is an unspecified address'],
    ['http://255.255.255.255', '255.255.255.255 is a broadcast address'],
    ['http://[ff02::1]', 'ff02::1 is a multicast address'],
    // Addresses that parsers disagree about.
    ['http://256.0.0.1', 'its host or port cannot be read'],
    ['http://127.0.0.0x', undefined],
    ['http://1.2.3.4.5', 'its host or port cannot be read'],
    ['http://0177.0.0.08', 'its host or port cannot be read'],
    ['http://4294967296', 'its host or port cannot be read'],
    ['http://[fe80::1%25eth0]', 'its host or port cannot be read'],
    ['http://[fe80::1%eth0]', 'its host or port cannot be read'],
    ['http://[::1', 'its host or port cannot be read'],
    ['http://::1', 'its host or port cannot be read'],
    // Another host than the one it looks like.
    ['http://good.example.org@169.254.169.254', 'it contains a user name'],
    ['http://good.example.org:80@127.0.0.1', 'it contains a user name'],
    ['http://@127.0.0.1', 'it contains a user name'],
    ['http://:@agent.example.org', 'it contains a user name'],
    ['http://good.example.org\\@127.0.0.1', 'it contains a backslash'],
    ['http:\\\\127.0.0.1', 'it contains a backslash'],
    ['http://good.example.org#@127.0.0.1', 'it contains a ? or a #'],
    ['http://127.0.0.1%00.example.org', 'its host or port cannot be read'],
    ['http://127.0.0.1%2f.example.org', 'its host or port cannot be read'],
    ['http://exa%0dmple.org', 'its host or port cannot be read'],
    // What the parser would repair.
    ['http:127.0.0.1', 'it is not scheme://host'],
    ['http:/127.0.0.1', 'it is not scheme://host'],
    ['http:///127.0.0.1', 'it is not scheme://host'],
    ['//127.0.0.1', 'it is not scheme://host'],
    ['127.0.0.1:8001', 'it is not scheme://host'],
    ['', 'it is not scheme://host'],
    [' http://agent.example.org', 'it contains a blank or an invisible character'],
    ['http://agent.example.org/\r\nHost: evil', 'it contains a blank or an invisible character'],
    ['http://agent\t.example.org', 'it contains a blank or an invisible character'],
    ['http://agent\u200b.example.org', 'it contains a blank or an invisible character'],
    ['http://agent\u00ad.example.org', 'it contains a blank or an invisible character'],
    // What would swallow the path of the question.
    ['http://agent.example.org/?x=', 'it contains a ? or a #'],
    ['http://agent.example.org?', 'it contains a ? or a #'],
    ['http://agent.example.org/#', 'it contains a ? or a #'],
    // Other protocols, and ports where they are spoken.
    ['gopher://agent.example.org:6379/_FLUSHALL', 'gopher is not among the schemes'],
    ['ftp://agent.example.org', 'ftp is not among the schemes'],
    ['ws://agent.example.org', 'ws is not among the schemes'],
    ['file://agent.example.org/etc/passwd', 'file is not among the schemes'],
    ['file:///etc/passwd', 'it is not scheme://host'],
    ['javascript://agent.example.org/%0aalert(1)', 'javascript is not among the schemes'],
    ['data:text/plain,hello', 'it is not scheme://host'],
    ['unix://run/docker.sock', 'unix is not among the schemes'],
    ['http://agent.example.org:22', 'port 22 is not among'],
    ['http://agent.example.org:25', 'port 25 is not among'],
    ['http://agent.example.org:0', 'port 0 is not among'],
    ['http://agent.example.org:65536', 'its host or port cannot be read'],
    ['http://agent.example.org:-1', 'its host or port cannot be read'],
    ['http://agent.example.org:8001:80', 'its host or port cannot be read'],
    // No names.
    ['http://./', '"" is not a host name'],
    ['http://agent..example.org', '"agent..example.org" is not a host name'],
    ["http://a'b.example.org", `"a'b.example.org" is not a host name`],
    ['http://$(id).example.org', '"$(id).example.org" is not a host name'],
    ['http://agent,127.0.0.1.example.org', '"agent,127.0.0.1.example.org" is not a host name'],
    [`http://${'a'.repeat(64)}.example.org`, `"${'a'.repeat(64)}.example.org" is not a host name`],
    [`http://agent.example.org/${'a'.repeat(2048)}`, 'it is longer than 2048 characters'],
  ])('refuses %j: %s', (text, expected) => {
    if (expected === undefined) expect(problem(text)).toBeDefined();
    else expect(problem(text)?.slice(0, expected.length)).toBe(expected);
  });

  it.each([
    ['http://agent-host:8001', 'http://agent-host:8001', 'agent-host'],
    ['HTTP://Agent.Example.ORG/', 'http://agent.example.org', 'agent.example.org'],
    ['https://agents.example.org/gpu/7//', 'https://agents.example.org/gpu/7', 'agents.example.org'],
    ['https://agent.example.org:443', 'https://agent.example.org', 'agent.example.org'],
    ['http://agent.example.org.:9400', 'http://agent.example.org:9400', 'agent.example.org'],
    ['http://gpu_7.fleet:9400', 'http://gpu_7.fleet:9400', 'gpu_7.fleet'],
    ['http://bücher.example.org', 'http://xn--bcher-kva.example.org', 'xn--bcher-kva.example.org'],
    ['http://agent.example.org/a/../b/@x', 'http://agent.example.org/b/@x', 'agent.example.org'],
    ['http://134744072:8001', 'http://8.8.8.8:8001', '8.8.8.8'],
    ['http://[2606:4700:0:0::1]:8001', 'http://[2606:4700::1]:8001', '2606:4700::1'],
  ])('reads %j as %j', (text, base, host) => {
    expect(readAgentUrl(text, strict)).toEqual({ kind: 'fit', base, host });
  });

  it('says what to do', () => {
    expect(readAgentUrl('http://10.0.0.5', strict)).toEqual({
      kind: 'unfit',
      problem:
        '10.0.0.5 is a private address, which the policy allows only with ping.allow_private, or with its network in ping.allow_networks',
      fix: 'register another address',
    });
    expect(readAgentUrl('agent:8001', strict)).toEqual({
      kind: 'unfit',
      problem: 'it is not scheme://host',
      fix: 'write it like http://agent-host:8001 or https://agents.example.org/gpu-7',
    });
  });

  it('reads its own spelling to the same, whatever it was given', () => {
    const part = fc.oneof(fc.webUrl({ withQueryParameters: false }), fc.string(), fc.ipV4Extended(), fc.domain());
    fc.assert(
      fc.property(part, part, fc.constantFrom('', 'http://', 'https://'), (host, rest, scheme) => {
        const url = readAgentUrl(`${scheme}${host}${rest}`, widest);
        if (url.kind === 'fit') expect(readAgentUrl(url.base, widest)).toEqual(url);
      }),
      { numRuns: 2000 },
    );
  });
});
