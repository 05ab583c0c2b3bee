/** The names of our JSON beside the json tags of GPUd's Go structs, so that its clients decode every field we send. */
import { describe, expect, it } from 'vitest';
import { healthz } from '../../../exporter/gpud/api.ts';
import { events } from '../../../exporter/gpud/events.ts';
import { componentNames, states } from '../../../exporter/gpud/states.ts';
import { gpu, readingAfter, snapshotOf, xid, zeroMs } from './fixtures.ts';

/** Go struct → its json tags. Of api/v1/types.go, and of the check result of each component. */
const tags: Readonly<Record<string, string>> = {
  ComponentHealthStates: 'component states',
  HealthState:
    'time component component_type name run_mode health reason error suggested_actions extra_info raw_output',
  SuggestedActions: 'description repair_actions',
  ComponentEvents: 'component startTime endTime events',
  Event: 'component time name type message',
  Healthz: 'status version',
  clock_speeds: 'uuid bus_id graphics_mhz memory_mhz clock_graphics_supported clock_memory_supported',
  ecc_modes: 'uuid bus_id enabled_current enabled_pending supported',
  ecc_errors: 'uuid bus_id aggregate volatile supported',
  fabric_states: 'gpu_uuid clique_id cluster_uuid state status summary health',
  clock_events:
    'time uuid bus_id reasons_bitmask hw_slowdown_reasons reasons hw_slowdown hw_thermal_slowdown hw_slowdown_power_brake supported',
  memories:
    'uuid bus_id total_bytes total_humanized reserved_bytes reserved_humanized used_bytes used_humanized free_bytes free_humanized used_percent supported is_unified_memory',
  nvlinks: 'uuid bus_id states supported',
  persistence_modes: 'uuid bus_id enabled supported',
  powers:
    'uuid bus_id usage_milli_watts enforced_limit_milli_watts management_limit_milli_watts used_percent get_power_usage_supported get_power_limit_supported get_power_management_limit_supported',
  processes: 'uuid bus_id running_processes get_compute_running_processes_supported get_process_utilization_supported',
  remapped_rows:
    'uuid bus_id remapped_due_to_correctable_errors remapped_due_to_uncorrectable_errors remapping_pending remapping_failed supported',
  temperatures:
    'uuid bus_id current_celsius_gpu_core current_celsius_hbm hbm_temperature_supported threshold_celsius_slowdown_margin margin_temperature_supported threshold_celsius_shutdown threshold_celsius_slowdown threshold_celsius_mem_max threshold_celsius_gpu_max used_percent_shutdown used_percent_slowdown used_percent_mem_max used_percent_gpu_max',
  utilizations: 'uuid bus_id gpu_used_percent memory_used_percent supported',
  NVLinkState:
    'link feature_enabled replay_errors recovery_errors crc_errors throughput_raw_tx_bytes throughput_raw_rx_bytes',
  Process:
    'pid status zombie_status bad_env_vars_for_cuda cmd_args create_time gpu_used_percent gpu_used_memory_bytes gpu_used_memory_bytes_humanized',
  AllECCErrorCounts:
    'total l1_cache l2_cache dram sram gpu_device_memory gpu_texture_memory shared_memory gpu_register_file',
  ECCErrorCounts: 'corrected uncorrected',
};

/** The top level of `extra_info.data`, by component. */
const resultTags: Readonly<Record<string, string>> = {
  'accelerator-nvidia-clock-speed': 'clock_speeds',
  'accelerator-nvidia-ecc': 'ecc_modes ecc_errors',
  'accelerator-nvidia-fabric-manager': 'fabric_manager_active fabric_state_supported fabric_states fabric_state_reason',
  'accelerator-nvidia-hw-slowdown': 'clock_events',
  'accelerator-nvidia-memory': 'memories',
  'accelerator-nvidia-nvlink': 'nvlinks active_nvlink_uuids inactive_nvlink_uuids unsupported_nvlink_uuids',
  'accelerator-nvidia-persistence-mode': 'persistence_modes',
  'accelerator-nvidia-power': 'powers',
  'accelerator-nvidia-processes': 'processes',
  'accelerator-nvidia-remapped-rows': 'product_name memory_error_management_capabilities remapped_rows',
  'accelerator-nvidia-temperature': 'temperatures',
  'accelerator-nvidia-utilization': 'utilizations',
};

const slow = { clocksEventReasons: 0x48, rowRemapPending: 1 };
const reading = readingAfter(snapshotOf([gpu(0, slow)], { xids: [xid(79, 0)] }));
const allStates = states(reading, componentNames, zeroMs);
const [xidEvents] = events(reading, { names: ['accelerator-nvidia-error-xid'], fromMs: zeroMs, toMs: zeroMs });

const dataOf = (component: string): Record<string, unknown> => {
  const found = allStates.find((entry) => entry.component === component)?.states[0]?.extra_info?.data;
  return JSON.parse(found ?? '{}');
};

const sent = (value: unknown): readonly string[] => Object.keys(JSON.parse(JSON.stringify(value ?? {})));

function expectDecodable(struct: string, value: unknown): void {
  const known = (tags[struct] ?? '').split(' ');
  expect(sent(value).length, struct).toBeGreaterThan(0);
  expect(
    sent(value).filter((key) => !known.includes(key)),
    struct,
  ).toEqual([]);
}

describe('every field that is sent', () => {
  it.each([
    ['ComponentHealthStates', allStates[0]],
    ['HealthState', allStates.find(({ component }) => component.endsWith('remapped-rows'))?.states[0]],
    [
      'SuggestedActions',
      allStates.flatMap((entry) => entry.states).find((state) => state.suggested_actions)?.suggested_actions,
    ],
    ['ComponentEvents', xidEvents],
    ['Event', xidEvents?.events[0]],
    ['Healthz', healthz],
  ])('of %s has a tag', (struct, value) => {
    expectDecodable(struct, value);
  });

  it.each(Object.entries(resultTags))('of the data of %s has a tag', (component, known) => {
    const data = dataOf(component);
    expect(sent(data).filter((key) => !known.split(' ').includes(key))).toEqual([]);
    const lists = Object.entries(data).filter(([key]) => key in tags);
    expect(lists.length).toBeGreaterThan(0);
    for (const [key, entries] of lists) expectDecodable(key, (entries as readonly unknown[])[0]);
  });

  it('of what lies deeper has a tag', () => {
    const [links] = dataOf('accelerator-nvidia-nvlink').nvlinks as readonly { states: readonly unknown[] }[];
    expectDecodable('NVLinkState', links?.states[0]);
    const [processes] = dataOf('accelerator-nvidia-processes').processes as readonly {
      running_processes: readonly unknown[];
    }[];
    expectDecodable('Process', processes?.running_processes[0]);
    const [errors] = dataOf('accelerator-nvidia-ecc').ecc_errors as readonly { volatile: { total: unknown } }[];
    expectDecodable('AllECCErrorCounts', errors?.volatile);
    expectDecodable('ECCErrorCounts', errors?.volatile.total);
  });

  it('belongs to a component that has its tags here, or sends no data', () => {
    const withData = allStates.filter((entry) => entry.states.some((state) => state.extra_info !== undefined));
    expect(withData.map(({ component }) => component)).toEqual(Object.keys(resultTags));
  });
});
