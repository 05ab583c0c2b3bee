/** Alertmanagers by DNS records. */
import { NODATA, type SrvRecord } from 'node:dns';
import type { LabelSet } from '../../core/alert.ts';
import type { SourceSettings } from '../alerting.ts';
import { type Answer, LastGood, type TargetSource } from './source.ts';

type DnsSettings = Extract<SourceSettings, { readonly kind: 'dns' }>;

/** The part of `node:dns/promises`' Resolver that is used. */
export interface DnsResolver {
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  resolveSrv(name: string): Promise<SrvRecord[]>;
  /** Fails whatever is being looked up. */
  cancel(): void;
}

/** Looks up every name. A name that does not exist is a failure too: a wrong zone must not cost the alerts. */
export function dnsSource(settings: DnsSettings, resolver: DnsResolver): TargetSource {
  const last = new LastGood();
  return {
    refreshMs: settings.refreshMs,
    find: async (signal) => {
      const cancel = () => resolver.cancel();
      signal.addEventListener('abort', cancel);
      const asked = settings.names.map(async (name) => [name, await lookUp(settings, resolver, name)] as const);
      const answers = await Promise.all(asked);
      signal.removeEventListener('abort', cancel);
      return last.update(new Map(answers));
    },
  };
}

async function lookUp(settings: DnsSettings, resolver: DnsResolver, name: string): Promise<Answer> {
  try {
    const records = await recordsOf(settings, resolver, name);
    return records.map((record) => ({ ...record, __meta_dns_name: name }));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The name exists and has no such records: that is an answer.
    if (code === NODATA) return [];
    return { failed: `no ${settings.type} records of ${name}: ${code ?? message}` };
  }
}

async function recordsOf({ type, port }: DnsSettings, resolver: DnsResolver, name: string): Promise<LabelSet[]> {
  switch (type) {
    case 'A':
      return (await resolver.resolve4(name)).map((address) => ({ __address__: `${address}:${port}` }));
    case 'AAAA':
      return (await resolver.resolve6(name)).map((address) => ({ __address__: `[${address}]:${port}` }));
    case 'SRV':
      return (await resolver.resolveSrv(name)).map((record) => ({
        __address__: `${record.name.replace(/\.$/, '')}:${record.port}`,
        __meta_dns_srv_record_target: `${record.name.replace(/\.$/, '')}.`,
        __meta_dns_srv_record_port: String(record.port),
      }));
  }
}
