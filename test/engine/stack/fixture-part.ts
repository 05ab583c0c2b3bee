/** A part that behaves as its variables say: FIXTURE_PORT, FIXTURE_EXIT_CODE (ends at once), FIXTURE_STUBBORN, FIXTURE_SILENT. */
import { createServer } from 'node:http';

const { FIXTURE_PORT, FIXTURE_EXIT_CODE, FIXTURE_STUBBORN, FIXTURE_SILENT } = process.env;

console.log('fixture begins');
if (FIXTURE_EXIT_CODE) {
  console.error('fixture cannot go on');
  process.exit(Number(FIXTURE_EXIT_CODE));
}
process.on('SIGTERM', () => {
  if (!FIXTURE_STUBBORN) process.exit(0);
});
const server = createServer((request, response) => {
  if (request.url === '/die') process.exit(3);
  if (!FIXTURE_SILENT) response.end('ready');
});
server.listen(Number(FIXTURE_PORT), '127.0.0.1');
