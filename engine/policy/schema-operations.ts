/** Policy-file sections that change no decision: alerts about uptime, reports, the agent. */
import { z } from 'zod';
import { alertName, count, duration, flag, oneOf, percent, text } from './fields.ts';

export const alerts = z
  .strictObject({
    consecutive_failures: count('Alert after this many failures in a row.').default(3),
    uptime_below: percent('Alert when uptime falls below this.').default(95),
  })
  .meta({ description: 'Alerts about uptime itself.' });

const reaction = z
  .strictObject({
    on_error: oneOf(
      ['keep', 'alert', 'ok'],
      'When the query fails. keep: alerts stay as they are, as in Prometheus; alert: one more is raised, named as the ' +
        'rule, with the label reason="query failed"; ok: as if the query had found nothing.',
    ).default('keep'),
    on_no_data: oneOf(
      ['ok', 'keep', 'alert'],
      'When none of the series that the expression reads exists. ok: nothing is wrong, as in Prometheus; keep: alerts ' +
        'stay as they are; alert: one more is raised, named as the rule, with the label reason="no data".',
    ).default('ok'),
  })
  .meta({ title: 'reaction', description: 'What a rule does when its query says nothing.' });

export const rules = z
  .record(alertName(), reaction)
  .meta({ description: 'Alert rules by name that react to silence otherwise than Prometheus does.' });

export const report = z
  .strictObject({
    interval: duration('Time between status reports in the log.', 1000).default('60s'),
    detailed: flag('Report every GPU.').default(false),
  })
  .meta({ description: 'Status reports in the log.' });

export const agent = z
  .strictObject({
    mode: flag('Run as the agent inside a GPU container.').default(false),
    id: text('Unique name of this agent; the host name when unset.').optional(),
    check_interval: duration('Time between GPU checks.', 1).default('5s'),
    max_history: count('Checks kept.').default(10000),
    checkpoint_interval: count('Checks between two checkpoints.').default(100),
  })
  .meta({ description: 'The self-monitor inside a GPU container.' });
