/** The series that show alerts in Prometheus: ALERTS is 1 per active alert, ALERTS_FOR_STATE says since when. */
import type { Alert, LabelSet } from '../core/alert.ts';
import type { YieldedSeries } from './rule-series.ts';

export const ALERTS = 'ALERTS';
export const ALERTS_FOR_STATE = 'ALERTS_FOR_STATE';

/** Two series per pending or firing alert, with exactly its labels. */
export function* alertSeries(alerts: Iterable<Alert>): Generator<YieldedSeries, void, undefined> {
  for (const alert of alerts) {
    const { state, labels, activeAt } = alert;
    if (state === 'inactive') continue;
    const keys = keysOf(alert);
    yield { key: keys[state], value: 1, labels: () => ({ ...labels, __name__: ALERTS, alertstate: state }) };
    const since = Math.floor(activeAt / 1000);
    yield { key: keys.since, value: since, labels: () => ({ ...labels, __name__: ALERTS_FOR_STATE }) };
  }
}

interface SeriesKeys {
  readonly pending: string;
  readonly firing: string;
  readonly since: string;
}

/** An alert keeps its label object for life, and ten thousand keys at every evaluation are worth keeping too. */
const known = new WeakMap<LabelSet, SeriesKeys>();

function keysOf({ labels, key }: Alert): SeriesKeys {
  const keys = known.get(labels) ?? { pending: `pending ${key}`, firing: `firing ${key}`, since: `since ${key}` };
  known.set(labels, keys);
  return keys;
}
