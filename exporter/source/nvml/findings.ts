/** What the doctor makes of a machine and of what its driver said: what is missing, why, and what to do about it. */

import type { DoctorReport } from './doctor.ts';
import type { Environment } from './environment.ts';
import type { CallSupport, GpuSupport, SupportReport, Unavailable } from './support.ts';

export interface Finding {
  /** A problem costs GPUs or readings that could be had; a note explains what cannot. */
  readonly severity: 'problem' | 'note';
  readonly text: string;
}

/** Problems first; empty when all is as it should be. */
export function findingsOf(environment: Environment, report: DoctorReport): readonly Finding[] {
  const findings = [...reportFindings(environment, report), ...machineFindings(environment, report)];
  return [...findings.filter(isProblem), ...findings.filter((finding) => !isProblem(finding))];
}

export function isProblem({ severity }: Finding): boolean {
  return severity === 'problem';
}

const problem = (text: string): Finding => ({ severity: 'problem', text });
const note = (text: string): Finding => ({ severity: 'note', text });
const when = (condition: boolean, finding: () => Finding): readonly Finding[] => (condition ? [finding()] : []);

// A driver that answers is there, wherever it hides its parts: only what does not answer is searched for.
function machineFindings(environment: Environment, report: DoctorReport): readonly Finding[] {
  const unusable = closedNodes(environment);
  if (report.kind === 'support' && report.support.unavailable === undefined) return unusable;
  const { library, kernelDriver, busGpus, deviceNodes, isContainer } = environment;
  const hasControl = deviceNodes.some(({ path }) => path === '/dev/nvidiactl');
  const isSaid = report.kind === 'support' && report.support.unavailable?.reason === 'driver_not_loaded';
  return [
    ...when(busGpus?.length === 0, () => problem(noCard)),
    ...when(library.file === undefined && isContainer, () => problem(emptyContainer)),
    ...when(kernelDriver === undefined && !isSaid, () => problem(noKernelDriver)),
    ...when(library.file !== undefined && kernelDriver !== undefined && !hasControl, () =>
      problem(missingNodes(isContainer)),
    ),
    ...unusable,
  ];
}

const noCard =
  'No NVIDIA GPU is on the PCI bus of this machine. Check the card and its power, or pass it through to this virtual machine.';
// Outside of a container the message of the library itself says all there is to say.
const emptyContainer =
  'This container has no NVIDIA driver in it. Start it with its GPUs: --gpus all and NVIDIA_DRIVER_CAPABILITIES=utility, by the NVIDIA Container Toolkit.';
const noKernelDriver =
  'The NVIDIA kernel driver is not loaded. Load it with modprobe nvidia, and look into dmesg if that fails.';

function closedNodes({ deviceNodes }: Environment): readonly Finding[] {
  const closed = deviceNodes.filter(({ isReadableAndWritable }) => !isReadableAndWritable).map(({ path }) => path);
  const text = `This user may not read and write ${closed.join(', ')}. Add it to the group that owns them, or run as root.`;
  return when(closed.length > 0, () => problem(text));
}

function missingNodes(isContainer: boolean): string {
  return isContainer
    ? '/dev/nvidiactl is missing in this container. Start it with its GPUs: --gpus all, by the NVIDIA Container Toolkit.'
    : '/dev/nvidiactl is missing. Run nvidia-smi or nvidia-modprobe once as root, or start nvidia-persistenced.';
}

function reportFindings(environment: Environment, report: DoctorReport): readonly Finding[] {
  if (report.kind === 'support') return supportFindings(environment, report.support);
  if (report.kind === 'unavailable') return [problem(report.message)];
  const { gpu, step } = report.touching;
  const where = report.kind === 'crashed' ? ` It was touching ${gpu ?? 'the driver as a whole'} (${step}).` : '';
  return [problem(`${report.message}${where} Look into dmesg for messages of the driver (NVRM).`)];
}

function supportFindings(environment: Environment, { gpus, unavailable }: SupportReport): readonly Finding[] {
  if (unavailable !== undefined) return [problem(`${unavailable.message}${versionText(environment, unavailable)}`)];
  return [
    ...missingFindings(environment.busGpus?.length ?? 0, gpus.length),
    ...gpus.flatMap((gpu) => (gpu.unavailable === undefined ? [] : [problem(gpu.unavailable.message)])),
    ...permissionFindings(gpus, environment.user.hasSysAdmin),
    ...stateFindings(gpus),
    ...abilityFindings(gpus),
  ];
}

function versionText({ library, kernelDriver }: Environment, { reason }: Unavailable): string {
  if (reason !== 'lib_rm_version_mismatch' || library.version === undefined || kernelDriver === undefined) return '';
  return ` The library is of version ${library.version}, the kernel driver of version ${kernelDriver}.`;
}

function missingFindings(onBus: number, listed: number): readonly Finding[] {
  const missing = onBus - listed;
  const what = `${missing} of the ${onBus} NVIDIA GPUs on the PCI bus ${missing === 1 ? 'is' : 'are'} not listed by the driver.`;
  const why = 'dmesg tells why; a GPU may also be bound to another driver, such as vfio-pci.';
  return when(missing > 0, () => problem(`${what} ${why}`));
}

function permissionFindings(gpus: readonly GpuSupport[], hasSysAdmin: boolean | undefined): readonly Finding[] {
  const refused = new Set(gpus.flatMap(({ calls }) => calls.filter(isRefused).map(({ call }) => call)));
  if (refused.size === 0) return [];
  const remedy =
    hasSysAdmin === false ? 'Run with CAP_SYS_ADMIN to have them.' : 'Give this user access to the device nodes.';
  return [problem(`The driver refuses this user ${[...refused].join(', ')}. ${remedy}`)];
}

function isRefused({ code }: CallSupport): boolean {
  return code === 'no_permission';
}

interface StateRule {
  /** The reading that tells it. */
  readonly reading: string;
  readonly severity: Finding['severity'];
  readonly applies: (value: number) => boolean;
  readonly text: (value: number) => string;
}

/** States of a GPU that people should know of. */
const stateRules: readonly StateRule[] = [
  {
    reading: 'recoveryAction',
    severity: 'problem',
    applies: (action) => action > 0,
    text: (action) => `the driver asks to ${recoveries[action] ?? `take action ${action}`}.`,
  },
  {
    reading: 'rowRemapFailure',
    severity: 'problem',
    applies: (failed) => failed === 1,
    text: () => 'a broken row of the memory could not be remapped. Have the card replaced.',
  },
  {
    reading: 'rowRemapPending',
    severity: 'problem',
    applies: (pending) => pending === 1,
    text: () => 'a broken row of the memory is remapped at the next reset. Reset the GPU when it is free.',
  },
  {
    reading: 'fabricState',
    severity: 'problem',
    applies: (state) => state === 1 || state === 2,
    text: () => 'not registered with the NVLink fabric yet. Check that nvidia-fabricmanager runs.',
  },
  {
    reading: 'persistenceMode',
    severity: 'note',
    applies: (mode) => mode === 0,
    text: () => 'not in persistence mode: counters start anew when the last user leaves. Start nvidia-persistenced.',
  },
  {
    reading: 'migMode',
    severity: 'note',
    applies: (mode) => mode === 1,
    text: () => 'in MIG mode: no utilization of the whole GPU; memory and profiling are given for each instance.',
  },
];

const recoveries: Readonly<Record<number, string>> = {
  1: 'reset the GPU',
  2: 'reboot the node',
  3: 'drain the peer-to-peer traffic of the GPU',
  4: 'drain the GPU and reset it',
  5: 'recover the IMEX domain',
};

// GPUs of which the same is to be said share one finding.
function stateFindings(gpus: readonly GpuSupport[]): readonly Finding[] {
  return stateRules.flatMap(({ reading, severity, applies, text }) => {
    const said = gpus.flatMap(({ index, calls }) => {
      const value = readingIn(calls, reading);
      return typeof value === 'number' && applies(value) ? [{ index, text: text(value) }] : [];
    });
    const groups = Object.entries(Object.groupBy(said, (gpu) => gpu.text));
    return groups.map(([what, members = []]) => ({ severity, text: `${nameAll(members)}: ${what}` }));
  });
}

function nameAll(gpus: readonly { readonly index: number }[]): string {
  return `GPU ${gpus.map(({ index }) => index).join(', ')}`;
}

function readingIn(calls: readonly CallSupport[], name: string): number | string | undefined {
  return calls.map(({ values }) => values[name]).find((value) => value !== undefined);
}

/** What a card may lack for good; each from the call that would give something otherwise. */
const abilities = [
  {
    call: 'nvmlGpmSampleGet',
    text: 'no profiling counters that NVML could read. Cards before Hopper have none there, and vGPUs may have none.',
  },
  { call: 'nvmlDeviceGetSupportedEventTypes', text: 'no XID events, so their XIDs are not seen.' },
];

function abilityFindings(gpus: readonly GpuSupport[]): readonly Finding[] {
  return abilities.flatMap(({ call, text }) => {
    const without = gpus.filter(({ calls }) => calls.some((support) => support.call === call && isLacking(support)));
    return when(without.length > 0, () => note(`${nameAll(without)}: ${text}`));
  });
}

function isLacking({ code, values }: CallSupport): boolean {
  return code === 'not_supported' || code === 'function_not_found' || (code === 'success' && isEmpty(values));
}

function isEmpty(values: CallSupport['values']): boolean {
  return Object.keys(values).length === 0;
}
