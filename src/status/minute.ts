/** Returns '2026-11-24 14:00 UTC', for sentences. */
export function minuteOf(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
