/** Spares pings the wait for a Prometheus that is away: each would wait in a slot that another agent needs. */
import type { Sighting } from '../core/ping/outcome.ts';
import { QueryError } from '../prometheus/query.ts';
import type { ObserveUptime } from './evidence-port.ts';
import type { PingClock } from './ping-ports.ts';

/** So many questions in a row without an answer, and nobody is asked any more. */
const MOST_UNANSWERED = 5;
/** From the last of them until one question is let through again. */
const PAUSE_MS = 10_000;
/** Whoever gives a question up earlier has not waited in vain. */
const PATIENCE_MS = 1000;

/** `unknown` says nothing of whether Prometheus is there. */
type Ending = 'answer' | 'silence' | 'unknown';

/**
 * Asks `observe`, until several questions in a row have had no answer: then it rejects with QueryError at once, and asks only
 * every now and then, one question at a time. The first answer ends that. Otherwise it resolves and rejects as `observe` does.
 */
export function sparingObserver(observe: ObserveUptime, { elapsed }: Pick<PingClock, 'elapsed'>): ObserveUptime {
  const trust = new Trust(elapsed);
  return async (span, agent, signal) => {
    if (signal.aborted) return undefined;
    const end = trust.begin();
    if (end === undefined)
      throw new QueryError('unreachable', 'Prometheus has not answered lately: it is asked again soon');
    // How a question ends that takes too long: its ping does not wait for it any more.
    const giveUp = () => end('silence', PATIENCE_MS);
    signal.addEventListener('abort', giveUp);
    try {
      const sighting = await observe(span, agent, signal);
      end(endingOf(sighting));
      return sighting;
    } catch (error) {
      end(error instanceof QueryError ? endingWith(error) : 'unknown');
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  };
}

// That nothing is known may be said without asking anybody: of a span in which there was no tick.
function endingOf(sighting: Sighting | undefined): Ending {
  return sighting?.uptime === undefined && !sighting?.watched ? 'unknown' : 'answer';
}

/** Whoever finds a question wrong is there. */
function endingWith({ kind }: QueryError): Ending {
  return kind === 'bad_data' ? 'answer' : 'silence';
}

/** Counts only the first time. Silence that was not waited out for `leastMs` says nothing. */
type End = (ending: Ending, leastMs?: number) => void;

class Trust {
  readonly #elapsed: () => number;
  #unanswered = 0;
  #silentSince = 0;
  #isTrying = false;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** Undefined when the question is not to be asked. */
  begin(): End | undefined {
    const isLost = this.#unanswered >= MOST_UNANSWERED;
    const begunAt = this.#elapsed();
    if (isLost && (this.#isTrying || begunAt - this.#silentSince < PAUSE_MS)) return undefined;
    if (isLost) this.#isTrying = true;
    let isOver = false;
    return (ending, leastMs = 0) => {
      if (isOver) return;
      isOver = true;
      if (isLost) this.#isTrying = false;
      const waitedMs = this.#elapsed() - begunAt;
      this.#note(ending === 'silence' && waitedMs < leastMs ? 'unknown' : ending);
    };
  }

  #note(ending: Ending): void {
    if (ending === 'answer') this.#unanswered = 0;
    if (ending !== 'silence') return;
    this.#unanswered += 1;
    this.#silentSince = this.#elapsed();
  }
}
