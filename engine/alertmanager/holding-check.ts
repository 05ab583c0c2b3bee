/** Regularly compares what an Alertmanager holds with what it has been sent. */
import type { HttpClient } from '../http-client/client.ts';
import type { OutgoingAlert } from './outgoing.ts';
import { readHeld } from './read-back.ts';

interface CheckOptions {
  /** The Alertmanager in messages. */
  readonly name: string;
  /** Where its alerts are posted to, and listed. */
  readonly url: string;
  readonly client: HttpClient;
  /** Limit of one request. */
  readonly timeoutMs: number;
  readonly checkEveryMs: number;
}

interface CheckPorts {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
  onProblem(message: string): void;
  /** Firing alerts that the Alertmanager has accepted. */
  expected(): readonly OutgoingAlert[];
  /** False while a check could not tell anything. */
  isWorthwhile(): boolean;
  /** Fingerprints of alerts that it does not hold. */
  onMissing(fingerprints: ReadonlySet<string>): void;
}

/** An alert about to expire may be gone rightly when the answer comes. */
const MARGIN_MS = 15_000;

export class HoldingCheck {
  readonly #options: CheckOptions;
  readonly #ports: CheckPorts;
  /** Alerts that were missing, over all checks. */
  missing = 0;
  /** Instant of the last check that could be made. */
  checkedAt: number | undefined;
  #problem: string | undefined;

  constructor(options: CheckOptions, ports: CheckPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Checks until `signal` aborts. The first pause is random, so that the checks of several peers do not meet. */
  async run(signal: AbortSignal): Promise<void> {
    const { checkEveryMs } = this.#options;
    await this.#ports.sleep(checkEveryMs * (0.5 + this.#ports.random() / 2), signal);
    while (!signal.aborted) {
      if (this.#ports.isWorthwhile()) await this.#check(signal);
      await this.#ports.sleep(checkEveryMs, signal);
    }
  }

  /** What is accepted after the question may rightly be missing from the answer, so the list is made before. */
  async #check(signal: AbortSignal): Promise<void> {
    const { client, url, timeoutMs, name } = this.#options;
    const expected = this.#expected();
    const held = await readHeld(client, url, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    if (signal.aborted) return;
    if (held.kind === 'failed') {
      this.#report(`Alertmanager ${name} does not say which alerts it holds: ${held.reason}`);
      return;
    }
    this.checkedAt = this.#ports.now();
    const missing = expected.filter((fingerprint) => !held.fingerprints.has(fingerprint));
    this.missing += missing.length;
    this.#report(missing.length === 0 ? undefined : lacks(name, missing.length, expected.length));
    if (missing.length > 0) this.#ports.onMissing(new Set(missing));
  }

  #expected(): readonly string[] {
    const until = this.#ports.now() + MARGIN_MS;
    return this.#ports.expected().flatMap(({ fingerprint, endsAt }) => (endsAt > until ? fingerprint : []));
  }

  /** Told when it changes; numbers that vary from check to check are no change. */
  #report(problem: string | undefined): void {
    const kind = problem?.replace(/\d+/g, '#');
    if (problem !== undefined && kind !== this.#problem) this.#ports.onProblem(problem);
    this.#problem = kind;
  }
}

function lacks(name: string, missing: number, expected: number): string {
  return `Alertmanager ${name} lacks ${missing} of ${expected} alerts that it had accepted; they are sent again`;
}
