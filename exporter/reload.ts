/** `/-/reload`: reads the counters file again, as SIGHUP does. */

import type { CountersOutcome } from './counters-file.ts';
import { sendProblem } from './problem.ts';
import type { Routes } from './routes.ts';
import { writeGuard } from './web/caller.ts';

export function reloadRoutes(reload: () => Promise<CountersOutcome>): Routes {
  return {
    '/-/reload': {
      POST: writeGuard((_request, response, next) => {
        reload().then((outcome) => {
          if (outcome.kind === 'loaded') response.json({ reloaded: true, warnings: outcome.warnings });
          else sendProblem(response, refusal(outcome.problems));
        }, next);
      }),
    },
  };
}

function refusal(problems: readonly string[]) {
  return {
    status: 422,
    title: 'The counters file is wrong',
    detail: `The counters of before stay in force. ${problems.join('\n')}`,
  };
}
