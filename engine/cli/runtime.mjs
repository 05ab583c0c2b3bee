// Plain JavaScript that every Node.js since 12 can parse: its only purpose is to refuse an old one in words.

const NEEDED_MAJOR = 26;

/** One sentence about a runtime that is too old, or an empty string when `version` (such as '20.20.2') is fine. */
export function runtimeComplaint(version) {
  if (Number(version.split('.')[0]) >= NEEDED_MAJOR) return '';
  return (
    'gpu-uptime needs Node.js ' +
    NEEDED_MAJOR +
    ' or newer and this is ' +
    version +
    ': run `npm ci` once, which brings it, and start through npm, for example `npm run gpu-uptime -- check`.'
  );
}
