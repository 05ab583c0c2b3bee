import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressPolicy, addressGuard } from '../../../engine/ping/address-guard.ts';
import { STRICT, WIDEST } from './open-policy.ts';

function judge(policy: Partial<AddressPolicy>, address: string): string | undefined {
  return addressGuard({ ...STRICT, ...policy }).addressProblem(address);
}

describe('addressProblem', () => {
  it.each([
    // Link-local: the metadata services of AWS, Google, Azure, Oracle, DigitalOcean, and of containers on AWS.
    ['169.254.169.254', 'a link-local address'],
    ['169.254.170.2', 'a link-local address'],
    ['169.254.0.1', 'a link-local address'],
    ['fe80::1', 'a link-local address'],
    ['fe80::1%eth0', 'a link-local address'],
    ['fe80::a9fe:a9fe', 'a link-local address'],
    ['febf:ffff::1', 'a link-local address'],
    // Metadata elsewhere.
    ['100.100.100.200', 'the metadata service of a cloud'],
    ['168.63.129.16', 'the metadata service of a cloud'],
    ['fd00:ec2::254', 'the metadata service of a cloud'],
    ['fd00:ec2::23', 'the metadata service of a cloud'],
    ['fd20:ce::254', 'the metadata service of a cloud'],
    ['fd00:c1::a9fe:a9fe', 'the metadata service of a cloud'],
    ['fd00:42::42', 'the metadata service of a cloud'],
    // This machine by another name.
    ['0.0.0.0', 'an unspecified address'],
    ['0.1.2.3', 'an unspecified address'],
    ['::', 'an unspecified address'],
    // Everybody at once.
    ['224.0.0.1', 'a multicast address'],
    ['239.255.255.250', 'a multicast address'],
    ['ff02::1', 'a multicast address'],
    ['255.255.255.255', 'a broadcast address'],
    // Nobody.
    ['240.0.0.1', 'a reserved address'],
    ['192.0.0.192', 'a reserved address'],
    ['192.0.2.1', 'a reserved address'],
    ['198.18.0.1', 'a reserved address'],
    ['198.51.100.1', 'a reserved address'],
    ['203.0.113.1', 'a reserved address'],
    ['192.88.99.1', 'a reserved address'],
    ['100::1', 'a reserved address'],
    ['2001:db8::1', 'a reserved address'],
    ['3fff::1', 'a reserved address'],
    ['fec0::1', 'a reserved address'],
    ['5f00::1', 'a reserved address'],
    ['4000::1', 'a reserved address'],
    // IPv4 inside IPv6.
    ['::ffff:169.254.169.254', 'a link-local address'],
    ['::ffff:a9fe:a9fe', 'a link-local address'],
    ['::ffff:0.0.0.0', 'an unspecified address'],
    ['::169.254.169.254', 'a reserved address'],
    ['::7f00:1', 'a reserved address'],
    ['::ffff:0:127.0.0.1', 'a translated address'],
    ['64:ff9b::169.254.169.254', 'a link-local address'],
    ['64:ff9b::6464:64c8', 'the metadata service of a cloud'],
    ['64:ff9b:1::a9fe:a9fe', 'a NAT64 address'],
    ['2002:a9fe:a9fe::1', 'a 6to4 address'],
    ['2002:7f00:1::1', 'a 6to4 address'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'a Teredo address'],
  ])('refuses %s under the widest policy: it is %s', (address, what) => {
    expect(judge(WIDEST, address)).toMatch(
      new RegExp(`^${RegExp.escape(`${address} is ${what}`)}.*, which no policy can`),
    );
    const networks = ['0.0.0.0/0', '::/0', address.replace(/%.*/, '')];
    expect(judge({ ...WIDEST, allowNetworks: networks }, address)).toContain(`is ${what}`);
  });

  it.each(['', 'localhost', '0177.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '1.2.3.4/32', '127.0.0.1 '])(
    'refuses %j from a resolver, because it is no address',
    (text) => expect(judge(WIDEST, text)).toBe(`${text} is no address`),
  );

  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
  ])('leaves %s, a %s address, to its flag', (address, kind) => {
    const sentence = `${address} is a ${kind} address, which the policy allows only with ping.allow_${kind}, or with its network in ping.allow_networks`;
    expect(judge({ allowLoopback: kind !== 'loopback', allowPrivate: kind !== 'private' }, address)).toBe(sentence);
    expect(judge({ allowLoopback: kind === 'loopback', allowPrivate: kind === 'private' }, address)).toBeUndefined();
  });

  it.each([
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '2606:4700::1111',
    '64:ff9b::808:808',
  ])('allows the public address %s', (address) => expect(judge({}, address)).toBeUndefined());

  it('asks nobody outside the allowed networks, and nobody in the denied ones', () => {
    const policy = { allowNetworks: ['198.50.0.0/16', '2606:4700::/32'], denyNetworks: ['198.50.7.0/24'] };
    expect(['198.50.1.1', '2606:4700::1', '198.50.7.9', '8.8.8.8'].map((address) => judge(policy, address))).toEqual([
      undefined,
      undefined,
      '198.50.7.9 lies in 198.50.7.0/24, which ping.deny_networks lists',
      '8.8.8.8 lies in no network of ping.allow_networks',
    ]);
  });

  it('takes a network of private addresses alone for an intention, and a wider one not', () => {
    expect(judge({ allowNetworks: ['10.1.0.0/16'] }, '10.1.2.3')).toBeUndefined();
    expect(judge({ allowNetworks: ['127.0.0.1'] }, '127.0.0.1')).toBeUndefined();
    expect(judge({ allowNetworks: ['127.0.0.1'] }, '127.0.0.2')).toContain('no network of');
    expect(judge({ allowNetworks: ['0.0.0.0/0'] }, '10.1.2.3')).toContain('ping.allow_private');
    expect(judge({ allowNetworks: ['8.0.0.0/6'] }, '10.1.2.3')).toContain('ping.allow_private');
    expect(judge({ allowNetworks: ['10.0.0.0/8'] }, '127.0.0.1')).toContain('no network of');
  });

  it('sees an IPv4 network through every IPv6 spelling of it', () => {
    for (const denied of ['10.0.0.0/8', '::ffff:10.0.0.0/104', '::ffff:a00:0/104']) {
      for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3']) {
        expect(judge({ ...WIDEST, denyNetworks: [denied] }, address)).toContain('ping.deny_networks');
      }
    }
    expect(judge({ denyNetworks: ['64:ff9b::/96'] }, '64:ff9b::8.8.8.8')).toContain('64:ff9b::/96');
  });

  it('says that a network cannot be read instead of leaving it out', () => {
    for (const text of ['10.0.0.0/33', '10/8', 'fd00::/129', '', '10.0.0.0/-1', 'fe80::1%lo/64', 'internal']) {
      expect(() => addressGuard({ ...STRICT, denyNetworks: [text] })).toThrow(`"${text}" is no network`);
    }
  });

  it('judges an IPv4 address and its mapped form alike', () => {
    const flags = fc.record({ allowLoopback: fc.boolean(), allowPrivate: fc.boolean() });
    fc.assert(
      fc.property(fc.ipV4(), flags, (address, policy) => {
        expect(isIPv4(address)).toBe(true);
        const mapped = `::ffff:${address}`;
        expect(judge(policy, mapped)?.replace(mapped, address)).toBe(judge(policy, address));
      }),
    );
  });

  it('lets no allowed network open what a denied one closes', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
        const policy = { ...WIDEST, allowNetworks: [address], denyNetworks: [`${address}/${bits}`] };
        expect(judge(policy, address)).toBeDefined();
      }),
    );
  });
});

describe('schemeProblem and portProblem', () => {
  it('know http and https, and those of them that are allowed', () => {
    const guard = addressGuard({ ...STRICT, allowSchemes: ['https', 'gopher'] });
    expect(guard.schemeProblem('https')).toBeUndefined();
    expect(guard.schemeProblem('http')).toBe('http is not among the schemes of ping.allow_schemes (https, gopher)');
    expect(guard.schemeProblem('gopher')).toContain('gopher is not among');
  });

  it('leave the ports of mail and shells alone when no ports are named', () => {
    const guard = addressGuard(STRICT);
    expect([80, 443, 1024, 8001, 65_535].map(guard.portProblem)).toEqual(Array(5).fill(undefined));
    expect(guard.portProblem(25)).toBe('port 25 is not among those of ping.allow_ports (80, 443, 1024 and up)');
    expect(guard.portProblem(0)).toContain('port 0');
    expect(addressGuard({ ...STRICT, allowPorts: [8001] }).portProblem(80)).toContain('(8001)');
  });
});
