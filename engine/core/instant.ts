/** Instants as people write them, without a calendar of the system: the core reads no clock. */

const DAY_MS = 86_400_000;

/** `2026-01-31T12:03:05Z`: UTC, to the second, for instants from the epoch on. */
export function isoSecond(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const seconds = Math.floor((ms - days * DAY_MS) / 1000);
  const time = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(twoDigits);
  return `${civilDate(days)}T${time.join(':')}Z`;
}

/** Days of 400 Gregorian years, of a century, of four years with one leap day, and of a year. */
const [ERA, CENTURY, OLYMPIAD, YEAR] = [146_097, 36_524, 1461, 365];

/**
 * Date of a day since the epoch. Years are counted from March, so that the leap day is the last of its year.
 * Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
 */
function civilDate(daysSinceEpoch: number): string {
  const days = daysSinceEpoch + 719_468;
  const era = Math.floor(days / ERA);
  const ofEra = days - era * ERA;
  const leapDays = Math.floor(ofEra / (OLYMPIAD - 1)) - Math.floor(ofEra / CENTURY) + Math.floor(ofEra / (ERA - 1));
  const yearOfEra = Math.floor((ofEra - leapDays) / YEAR);
  const ofYear = ofEra - (YEAR * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * march + 2) / 5) + 1;
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [String(year).padStart(4, '0'), twoDigits(month), twoDigits(day)].join('-');
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
