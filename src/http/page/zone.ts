/** The time zone of the whole page: the browser's, or UTC as in the logs. */
export type Zone = 'local' | 'utc';

/** Formats moments in one time zone. */
export class ZonedTime {
  readonly #zone: string | undefined;

  constructor(zone: Zone) {
    this.#zone = zone === 'utc' ? 'UTC' : undefined;
  }

  /** Returns '09:00'. */
  minute(moment: Date): string {
    return this.#format(moment, { hour: '2-digit', minute: '2-digit' });
  }

  /** Returns '09:00:04'. */
  second(moment: Date): string {
    return this.#format(moment, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  }

  /** Returns 'Wed 25 Nov', with the year if it is another one. */
  day(moment: Date, now: Date): string {
    const year = this.#format(moment, { year: 'numeric' });
    const isThisYear = year === this.#format(now, { year: 'numeric' });
    const day = this.#format(moment, { weekday: 'short', day: 'numeric', month: 'short' });
    return `${day.replace(',', '')}${isThisYear ? '' : ` ${year}`}`;
  }

  /** Returns '09:00' for today, else with the day. */
  clock(moment: Date, now: Date): string {
    const day = this.day(moment, now);
    return day === this.day(now, now) ? this.minute(moment) : `${day} ${this.minute(moment)}`;
  }

  /** Returns the short name of the zone, as 'EST'. */
  name(moment: Date): string {
    if (this.#zone !== undefined) return 'UTC';
    const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(moment);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  }

  /** Returns the moment in this zone and in UTC, to the second. */
  exact(moment: Date, now: Date): string {
    const here = `${this.day(moment, now)} ${this.second(moment)} ${this.name(moment)}`;
    const utc = `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    return this.name(moment) === 'UTC' ? utc : `${here} · ${utc}`;
  }

  #format(moment: Date, options: Intl.DateTimeFormatOptions): string {
    const zone = this.#zone === undefined ? {} : { timeZone: this.#zone };
    return moment.toLocaleString('en-GB', { ...options, ...zone, hour12: false });
  }
}
