/** Bits of NVML's clocks-event mask, under the names dcgm-exporter gives them. */
export const clockEventBits = {
  gpu_idle: 0x1,
  clocks_setting: 0x2,
  power_cap: 0x4,
  hw_slowdown: 0x8,
  sync_boost: 0x10,
  sw_thermal: 0x20,
  hw_thermal: 0x40,
  hw_power_brake: 0x80,
  display_clocks: 0x100,
} as const;
