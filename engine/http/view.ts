/** What the endpoints may see of the engine. */

import type { ActionBook } from '../core/action-book.ts';
import type { Judged } from '../core/fleet.ts';
import type { Hold } from '../core/hold.ts';
import type { MaintenanceView } from '../core/maintenance-report.ts';
import type { GroupStatus } from '../rules/status.ts';

/** An alert that is pending or firing, as the endpoints show it. */
export interface ShownAlert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly severity: string;
  readonly summary: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sinceMs: number;
}

export interface EngineView {
  readonly now: () => number;
  /** The plan and state to decide from; replaced as a whole by a reload. */
  readonly judged: () => Judged;
  readonly holds: () => readonly Hold[];
  readonly alerts: () => readonly ShownAlert[];
  readonly ruleGroups: () => readonly GroupStatus[];
  /** Base URL of Prometheus as a person's browser reaches it. */
  readonly prometheusUrl: string;
  /** The runbook of an alert, in Markdown; undefined where there is none. */
  readonly runbook: (alert: string) => Promise<string | undefined>;
  /** Actions of firing alerts, the newest tick's and those that have begun since. Cheap: every gate request asks. */
  readonly actions: () => ActionBook;
  readonly maintenance: () => MaintenanceView;
  readonly isReady: () => boolean;
  /** Why the newest round failed; undefined while rounds succeed. */
  readonly lastFailure: () => string | undefined;
  readonly backlogTicks: () => number;
}

/** What the endpoints may do to the engine. */
export interface EngineControl {
  addHold(hold: Hold): Promise<void>;
  /** Whether there was such a hold. */
  removeHold(id: string): Promise<boolean>;
  /** Loads policy and rules again; on failure the last good ones stay and the text says why. */
  reload(): Promise<{ readonly ok: true; readonly revision: string } | { readonly ok: false; readonly text: string }>;
}
