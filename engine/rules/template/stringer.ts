/** The values that print themselves: times, durations, months, weekdays and errors. */
import { formatDuration } from './go-duration.ts';
import { MONTHS, timeText, WEEKDAYS } from './go-time.ts';
import { isObject, type Value, type Whole } from './value.ts';

/** What the String method of the value says; undefined when it has none. A nil pointer says `<nil>`. */
export function textOfStringer(value: Value): string | undefined {
  if (!isObject(value)) return undefined;
  switch (value.kind) {
    case 'whole':
      return textOfWhole(value);
    case 'time':
      return timeText(value.ns);
    case 'location':
      return 'UTC';
    case 'error':
      return value.message;
    case 'pointer':
      return value.type === 'template.sample' ? undefined : value.to === undefined ? '<nil>' : textOfStringer(value.to);
    default:
      return undefined;
  }
}

function textOfWhole({ type, value }: Whole): string | undefined {
  switch (type) {
    case 'time.Duration':
      return formatDuration(value);
    case 'time.Month':
      return MONTHS[Number(value) - 1] ?? `%!Month(${value})`;
    case 'time.Weekday':
      return WEEKDAYS[Number(value)] ?? `%!Weekday(${value})`;
    default:
      return undefined;
  }
}
