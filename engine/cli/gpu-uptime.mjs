#!/usr/bin/env node
import { runtimeComplaint } from './runtime.mjs';

// Whoever reads only the first lines, such as head, has what it wants, and a closed terminal reads nothing any more.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  // A command that has something to end or undo listens for this, and ends by itself.
  if (!process.emit('SIGTERM')) process.exit(0);
});

const complaint = runtimeComplaint(process.versions.node);
if (complaint !== '') {
  console.error(complaint);
  process.exitCode = 1;
} else {
  import('./main.ts').then(async ({ main }) => {
    const io = { out: console.log, err: console.error, env: process.env, cwd: process.cwd() };
    process.exitCode = await main(process.argv.slice(2), io);
  });
}
