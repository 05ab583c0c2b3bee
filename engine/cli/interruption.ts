/** The end that a person or the system asks a running command for. */

/** Aborts at the first of the signals, which then end the process no more: the command ends itself. */
export function interruptionOf(signals: readonly NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) process.on(signal, () => controller.abort());
  return controller.signal;
}
