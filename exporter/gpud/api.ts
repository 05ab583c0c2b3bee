/** The JSON of GPUd's API, field by field as its clients decode it. Fields that GPUd leaves out when empty are optional. */

export type HealthLevel = 'Healthy' | 'Degraded' | 'Unhealthy' | 'Initializing';

export type RepairAction =
  | 'IGNORE_NO_ACTION_REQUIRED'
  | 'REBOOT_SYSTEM'
  | 'HARDWARE_INSPECTION'
  | 'CHECK_USER_APP_AND_GPU';

interface SuggestedActions {
  readonly description: string;
  readonly repair_actions: readonly RepairAction[];
}

export interface HealthState {
  /** RFC 3339 in whole seconds; so are all times, but for the bounds of a query. */
  readonly time: string;
  readonly component: string;
  readonly name: string;
  readonly health: HealthLevel;
  readonly reason: string;
  readonly error?: string;
  readonly suggested_actions?: SuggestedActions;
  readonly extra_info?: Readonly<Record<string, string>>;
}

export interface ComponentHealthStates {
  readonly component: string;
  readonly states: readonly HealthState[];
}

/** Warning: recovers by itself. Critical: act, but not on the hardware. Fatal: reboot or repair. */
export type EventType = 'Unknown' | 'Info' | 'Warning' | 'Critical' | 'Fatal';

export interface GpudEvent {
  readonly component: string;
  readonly time: string;
  readonly name: string;
  readonly type: EventType;
  readonly message: string;
}

export interface ComponentEvents {
  readonly component: string;
  readonly startTime: string;
  readonly endTime: string;
  /** The newest first; never null, which GPUd sends for "none". */
  readonly events: readonly GpudEvent[];
}

export const healthz = { status: 'ok', version: 'v1' } as const;

/** A time as GPUd writes it. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
