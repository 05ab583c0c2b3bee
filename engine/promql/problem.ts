/** What can be wrong with an expression, and which releases of Prometheus understand it. */

/** A problem in an expression; [from, to) are UTF-16 offsets into it. */
export interface PromqlProblem {
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly fix: string;
}

/** A part of a valid expression that not every supported release accepts, 2.42 being the oldest. */
export interface VersionLimit {
  readonly from: number;
  readonly to: number;
  /** What is written there: `a number as a duration`. */
  readonly what: string;
  /** First release that accepts it; undefined when 2.42 does. */
  readonly since?: string;
  /** First release that no longer accepts it; undefined when the newest does. */
  readonly until?: string;
}

/** Ends a parse at its first syntax error; caught in one place, where it becomes a problem. */
export class SyntaxStop extends Error {
  readonly problem: PromqlProblem;

  constructor(problem: PromqlProblem) {
    super(problem.message);
    this.problem = problem;
  }
}
