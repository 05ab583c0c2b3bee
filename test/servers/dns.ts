/** A DNS server that answers A, AAAA and SRV questions from a table. */
import { createSocket } from 'node:dgram';
import ipaddr from 'ipaddr.js';

export interface DnsTable {
  readonly A?: Readonly<Record<string, readonly string[]>>;
  readonly AAAA?: Readonly<Record<string, readonly string[]>>;
  readonly SRV?: Readonly<Record<string, readonly { readonly name: string; readonly port: number }[]>>;
}

export interface DnsServer {
  /** `host:port`, for a resolver's `setServers`. */
  readonly address: string;
  table: DnsTable;
  /** Whether questions stay unanswered. */
  isSilent: boolean;
  /** The names that were asked for, oldest first. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

const TYPES = { 1: 'A', 28: 'AAAA', 33: 'SRV' } as const;
const NAME_ERROR = 3;

export async function startDnsServer(table: DnsTable): Promise<DnsServer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const asked: string[] = [];
  const server: DnsServer = {
    address: `127.0.0.1:${socket.address().port}`,
    table,
    isSilent: false,
    asked,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (query, from) => {
    asked.push(questionOf(query).name);
    if (!server.isSilent) socket.send(answerTo(query, server.table), from.port, from.address);
  });
  return server;
}

/** RFC 1035: the header, the question as it was asked, and the records, each naming the question at offset 12. */
function answerTo(query: Buffer, table: DnsTable): Buffer {
  const { name, type, end } = questionOf(query);
  const records = recordsOf(name, type, table);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580 | (records === undefined ? NAME_ERROR : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records?.length ?? 0, 6);
  return Buffer.concat([header, query.subarray(12, end), ...(records ?? []).map((data) => recordOf(type, data))]);
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Undefined when the table does not know the name at all. */
function recordsOf(name: string, type: number, table: DnsTable): Buffer[] | undefined {
  const kind = TYPES[type as keyof typeof TYPES];
  if (kind === 'SRV') return table.SRV?.[name]?.map(serviceData);
  return kind === undefined ? undefined : table[kind]?.[name]?.map(addressData);
}

function addressData(address: string): Buffer {
  return Buffer.from(ipaddr.parse(address).toByteArray());
}

function serviceData({ name, port }: { readonly name: string; readonly port: number }): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 4);
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([numbers, ...labels, Buffer.from([0])]);
}

function recordOf(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
