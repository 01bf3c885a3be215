/** What the signals do once the daemon is ready for them. */
export interface SignalActions {
  /** SIGUSR2 */
  refresh(): void;
  /** SIGHUP */
  reload(): void;
}

export interface Signals {
  /** Aborted, with the signal's name as reason, by the first SIGTERM or SIGINT. */
  readonly stop: AbortSignal;
  /** Signals that came before are acted on now. */
  bind(actions: SignalActions): void;
}

/** Ctrl-C under `npm start` arrives twice: from the terminal, and passed on by npm. */
const sameKeyMs = 150;

/**
 * Installs the handlers, first of all: SIGUSR2 and SIGHUP would end a process that has none.
 * A second SIGTERM or SIGINT exits 1 at once. SIGUSR1 is left to Node's debugger.
 */
export function installSignals(target: NodeJS.Process): Signals {
  const stop = new AbortController();
  let actions: SignalActions | undefined;
  const early = new Set<keyof SignalActions>();

  const act = (action: keyof SignalActions): void => {
    if (actions === undefined) early.add(action);
    else actions[action]();
  };
  let stoppedAt = 0;
  const onStop = (signal: NodeJS.Signals): void => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort(signal);
    } else if (signal !== 'SIGINT' || performance.now() - stoppedAt > sameKeyMs) {
      target.exit(1);
    }
  };

  target.on('SIGUSR2', () => {
    act('refresh');
  });
  target.on('SIGHUP', () => {
    act('reload');
  });
  target.on('SIGTERM', onStop);
  target.on('SIGINT', onStop);

  return {
    stop: stop.signal,
    bind: (bound) => {
      actions = bound;
      for (const action of early) bound[action]();
      early.clear();
    },
  };
}
