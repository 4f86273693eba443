// Loaded into every measured process: writes down the most memory that it held.
import { appendFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env.BENCH_MEMORY_FILE;
  if (file !== undefined) {
    appendFileSync(file, `${process.resourceUsage().maxRSS}\n`);
  }
});
