/** Who a GPU is: one row is one question, and the part of the identity that comes out of its answer. */

import type { GpuIdentity } from '../../snapshot.ts';
import { count32 } from './bounds.ts';
import type { CallArguments, CallName, CallValue } from './calls.ts';
import type { Inquiry } from './inquiry.ts';
import type { Answer } from './library.ts';
import type { Handle } from './slots.ts';

export interface FoundGpu {
  readonly device: Handle;
  readonly index: number;
  readonly uuid: string;
}

export interface Trait {
  readonly call: CallName;
  readonly argument: number | undefined;
  readonly feeds: keyof GpuIdentity;
  readonly ask: (inquiry: Inquiry, device: Handle) => Answer<string | number>;
}

type TextCall = { [Name in CallName]: CallValue<Name> extends string ? Name : never }[CallName];

const inforom = { oem: 0, ecc: 1, power: 2 };

export const traits: readonly Trait[] = [
  {
    call: 'nvmlDeviceGetPciInfo_v3',
    argument: undefined,
    feeds: 'pciBusId',
    ask: (inquiry, device) => derive(inquiry.ask('nvmlDeviceGetPciInfo_v3', device), pciBusId),
  },
  text('modelName', 'nvmlDeviceGetName'),
  {
    call: 'nvmlDeviceGetMinorNumber',
    argument: undefined,
    feeds: 'minorNumber',
    ask: (inquiry, device) => derive(inquiry.ask('nvmlDeviceGetMinorNumber', device), count32),
  },
  text('serial', 'nvmlDeviceGetSerial'),
  {
    call: 'nvmlDeviceGetBrand',
    argument: undefined,
    feeds: 'brand',
    ask: (inquiry, device) => derive(inquiry.ask('nvmlDeviceGetBrand', device), (brand) => brands[brand] ?? brands[0]),
  },
  text('vbiosVersion', 'nvmlDeviceGetVbiosVersion'),
  text('inforomImageVersion', 'nvmlDeviceGetInforomImageVersion'),
  text('oemInforomVersion', 'nvmlDeviceGetInforomVersion', inforom.oem),
  text('eccInforomVersion', 'nvmlDeviceGetInforomVersion', inforom.ecc),
  text('powerInforomVersion', 'nvmlDeviceGetInforomVersion', inforom.power),
];

// The words of nvidia-smi, which DCGM uses too, in the order of nvmlBrandType_t.
const brands = [
  'Unknown',
  'Quadro',
  'Tesla',
  'NVS',
  'Grid',
  'GeForce',
  'Titan',
  'NVIDIA Virtual Applications',
  'NVIDIA Virtual PC',
  'NVIDIA Virtual Compute Server',
  'NVIDIA RTX Virtual Workstation',
  'NVIDIA vGaming',
  'Quadro RTX',
  'NVIDIA RTX',
  'NVIDIA',
  'GeForce RTX',
  'Titan RTX',
];

/** What stays the same for as long as the driver knows the GPU; ask once. */
export function readIdentity(inquiry: Inquiry, { device, index, uuid }: FoundGpu): GpuIdentity {
  const entries = traits.map(({ feeds, ask }) => [feeds, ask(inquiry, device).value] as const);
  const known = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return { index, uuid, pciBusId: '', modelName: 'unknown', ...known };
}

function text<Name extends TextCall>(feeds: keyof GpuIdentity, call: Name, argument?: number): Trait {
  const rest = argument === undefined ? [] : [argument];
  return {
    call,
    argument,
    feeds,
    ask: (inquiry, device) => {
      const answer = inquiry.ask(call, ...([device, ...rest] as unknown as CallArguments<Name>));
      return derive(answer, (value) => String(value) || undefined);
    },
  };
}

function derive<T, R>({ code, value }: Answer<T>, take: (value: T) => R | undefined): Answer<R> {
  return { code, value: value === undefined ? undefined : take(value) };
}

function pciBusId({ busId, domain, bus, device }: CallValue<'nvmlDeviceGetPciInfo_v3'>): string {
  return busId === '' ? `${hex(domain, 8)}:${hex(bus, 2)}:${hex(device, 2)}.0` : busId.toUpperCase();
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
