// For `node --import`: the clock of this process is off by the milliseconds that the file named in
// CLOCK_OFFSET_FILE holds at each moment. What only counts elapsed time goes on as it did.
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
