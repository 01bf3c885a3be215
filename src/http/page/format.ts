const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** Formats bytes in steps of 1024. Registry's columns total_gb and total_tb have the same steps. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

export function formatDollars(value: number): string {
  return value.toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}

/** Returns '1 change', '2 changes'. */
export function countOf(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns '10:42 UTC' for today, '23 Nov 10:42 UTC' for other days, and the year if it differs. */
export function formatTime(iso: string, now: Date, withSeconds = false): string {
  const time = iso.slice(11, withSeconds ? 19 : 16);
  if (iso.slice(0, 10) === now.toISOString().slice(0, 10)) return `${time} UTC`;
  return `${formatDay(iso, now)} ${time} UTC`;
}

function formatDay(iso: string, now: Date): string {
  const isThisYear = iso.slice(0, 4) === String(now.getUTCFullYear());
  return new Date(iso).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
    timeZone: 'UTC',
  });
}

/** Returns '12 s ago', 'in 5 min'. */
export function formatAge(iso: string, now: Date): string {
  const ms = now.getTime() - new Date(iso).getTime();
  const seconds = Math.max(0, Math.round(Math.abs(ms) / 1_000));
  const text = formatSpan(seconds);
  return ms < 0 && seconds > 0 ? `in ${text}` : `${text} ago`;
}

function formatSpan(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
