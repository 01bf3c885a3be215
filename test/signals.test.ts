import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { installSignals } from '../src/daemon/signals.js';

/** Stands for the process. Here `exit` returns. */
function fakeProcess() {
  const events = new EventEmitter();
  const exit = vi.fn();
  const send = (signal: NodeJS.Signals) => events.emit(signal, signal);
  return { target: Object.assign(events, { exit }) as unknown as NodeJS.Process, exit, send };
}

test('SIGHUP reloads a daemon without a terminal, and does not stop it', () => {
  const { target, send } = fakeProcess();
  const signals = installSignals(target, { reloadsOnHangup: true });
  const reload = vi.fn();
  send('SIGHUP');
  signals.bind({ reload, refresh: () => undefined });
  send('SIGHUP');
  expect(reload).toHaveBeenCalledTimes(2);
  expect(signals.stop.aborted).toBe(false);
});

test('SIGHUP stops everything else, and a closed terminal that repeats it waits for the end', () => {
  const { target, exit, send } = fakeProcess();
  const signals = installSignals(target, { reloadsOnHangup: false });
  const reload = vi.fn();
  signals.bind({ reload, refresh: () => undefined });
  for (let i = 0; i < 3; i++) send('SIGHUP');
  expect(signals.stop.reason).toBe('SIGHUP');
  expect([reload, exit].map((called) => called.mock.calls.length)).toEqual([0, 0]);
  send('SIGTERM');
  expect(exit).toHaveBeenCalledWith(1);
});

test('SIGHUP after SIGTERM does not interrupt the stop', () => {
  const { target, exit, send } = fakeProcess();
  installSignals(target, { reloadsOnHangup: false });
  send('SIGTERM');
  send('SIGHUP');
  expect(exit).not.toHaveBeenCalled();
});
