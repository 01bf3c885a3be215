import { createMoment, type Clock } from './clock.js';
import { create, type Child } from './dom.js';

/**
 * Returns a sentence of the daemon for the page: its times, which are in UTC, in the zone of the
 * page, and what is between backticks as code.
 */
export function localize(sentence: string, clock: Clock): Child[] {
  return sentence.split(/(\d{4}-\d\d-\d\d \d\d:\d\d UTC|`[^`]+`)/).map((part, index) => {
    if (index % 2 === 0) return part;
    if (part.startsWith('`')) return create('code', {}, part.slice(1, -1));
    const moment = new Date(part.replace(' UTC', 'Z').replace(' ', 'T'));
    return Number.isNaN(moment.getTime()) ? part : createMoment(moment.toISOString(), clock);
  });
}
