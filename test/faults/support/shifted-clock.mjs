// For `node --import`: shifts this process's clock by the milliseconds in CLOCK_OFFSET_FILE, at any
// time. Elapsed time is not affected.
import { readFileSync } from 'node:fs';

const RealDate = globalThis.Date;

function now() {
  return RealDate.now() + Number(readFileSync(process.env.CLOCK_OFFSET_FILE, 'utf8'));
}

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }

  static now() {
    return now();
  }
};
