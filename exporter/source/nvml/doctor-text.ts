/** The doctor's report for people, and the same as data. */

import type { DoctorReport } from './doctor.ts';
import type { Environment } from './environment.ts';
import { type Finding, findingsOf, isProblem } from './findings.ts';
import type { CallSupport, GpuSupport, SupportReport } from './support.ts';

/** What `gpu-uptime doctor --json` prints. */
export interface Examination {
  readonly environment: Environment;
  readonly report: DoctorReport;
  readonly findings: readonly Finding[];
}

export function examine(environment: Environment, report: DoctorReport): Examination {
  return { environment, report, findings: findingsOf(environment, report) };
}

/** 0 when every GPU can be read, 1 when something is wrong. */
export function exitCodeOf({ findings }: Examination): 0 | 1 {
  return findings.some(isProblem) ? 1 : 0;
}

/** Sections, the most important first; ends with a line break. */
export function renderDoctor({ environment, report, findings }: Examination): string {
  const support = report.kind === 'support' ? report.support : undefined;
  const sections = [findingLines(findings), machineLines(environment, support), ...gpuSections(support)];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function findingLines(findings: readonly Finding[]): readonly string[] {
  const problems = findings.filter(isProblem).length;
  const verdict = problems === 0 ? 'All is well.' : `${countText(problems, 'problem')}.`;
  return [verdict, ...findings.map(({ severity, text }) => `  ${severity.padEnd(9)}${text}`)];
}

function machineLines(environment: Environment, support: SupportReport | undefined): readonly string[] {
  const { library, kernelDriver, busGpus, deviceNodes } = environment;
  const rows = [
    ['library', library.file ?? `${library.asked} (not found)`],
    ['kernel driver', kernelDriver ?? 'not loaded'],
    ['NVML', support?.nvmlVersion ?? 'not known'],
    ['PCI bus', busGpus === undefined ? 'cannot be seen' : countText(busGpus.length, 'NVIDIA GPU')],
    ['device nodes', deviceNodes.map(nodeText).join(', ') || 'none'],
    ['user', userText(environment)],
  ];
  return ['Machine', ...rows.map(([name = '', value]) => `  ${name.padEnd(15)}${value}`)];
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function nodeText({ path, isReadableAndWritable }: Environment['deviceNodes'][number]): string {
  return isReadableAndWritable ? path : `${path} (no access)`;
}

function userText({ user, isContainer }: Environment): string {
  const privilege =
    user.hasSysAdmin === undefined ? '' : user.hasSysAdmin ? ', with CAP_SYS_ADMIN' : ', without CAP_SYS_ADMIN';
  return `uid ${user.uid ?? 'not known'}${privilege}${isContainer ? ', in a container' : ''}`;
}

function gpuSections(support: SupportReport | undefined): readonly (readonly string[])[] {
  const gpus = support?.gpus ?? [];
  if (gpus.length === 0) return [];
  return [['GPUs', ...gpus.map(gpuLine)], matrixLines(gpus)];
}

function gpuLine({ index, uuid, unavailable, calls }: GpuSupport): string {
  const value = (name: string) => calls.map(({ values }) => values[name]).find((found) => found !== undefined);
  const parts = [uuid ?? 'no UUID', value('modelName'), value('pciBusId'), unavailable?.reason];
  return `  ${String(index).padEnd(4)}${parts.filter((part) => part !== undefined).join('  ')}`;
}

// One letter for each way of not answering; a success is a plus.
const marks: Readonly<Record<string, string>> = {
  success: '+',
  not_supported: '-',
  function_not_found: 'f',
  no_permission: 'p',
  invalid_argument: '-',
};
const otherMark = '!';
const blankMark = 'o';
const notAskedMark = ' ';

const mostParts = 4;

const legend = [
  '  + answers   o answers with a value that no working sensor gives   - the card or the driver does not have it',
  '  f the library does not have the function   p refused to this user   ! fails',
];

function matrixLines(gpus: readonly GpuSupport[]): readonly string[] {
  const names = [...new Set(gpus.flatMap(({ calls }) => calls.map(({ call }) => call)))];
  const width = Math.max(4, ...names.map((name) => name.length));
  const columns = gpus.map(({ index }) => String(index).padStart(2)).join(' ');
  const header = `  ${'Call'.padEnd(width)} ${columns}  gives`;
  return ['Calls', header, ...names.map((name) => matrixLine(name, gpus, width)), ...legend];
}

function matrixLine(name: string, gpus: readonly GpuSupport[], width: number): string {
  const cells = gpus.map(({ calls }) => calls.find(({ call }) => call === name));
  const columns = cells.map((cell) => markOf(cell).padStart(2)).join(' ');
  return `  ${name.padEnd(width)} ${columns}  ${gives(cells)}`.trimEnd();
}

function markOf(cell: CallSupport | undefined): string {
  if (cell === undefined) return notAskedMark;
  if (cell.code === 'success' && Object.keys(cell.values).length === 0) return blankMark;
  return marks[cell.code] ?? otherMark;
}

// What one of the GPUs says, so that a reader can tell what the number is like.
function gives(cells: readonly (CallSupport | undefined)[]): string {
  const known = cells.filter((cell) => cell !== undefined);
  const example = known.find(({ values }) => Object.keys(values).length > 0);
  if (example === undefined) return shorten(known[0]?.feeds ?? []);
  return shorten(Object.entries(example.values).map(([name, value]) => `${name} ${value}`));
}

function shorten(parts: readonly string[]): string {
  const shown = parts.slice(0, mostParts).join(', ');
  return parts.length > mostParts ? `${shown} and ${parts.length - mostParts} more` : shown;
}
