/** The actions of SIGUSR2 and SIGHUP. */
interface SignalActions {
  /** SIGUSR2 */
  refresh(): void;
  /** SIGHUP */
  reload(): void;
}

export interface Signals {
  /** Aborted by the first SIGTERM or SIGINT, with its name as the reason. */
  readonly stop: AbortSignal;
  /** Sets the actions, and runs those of earlier signals now. */
  bind(actions: SignalActions): void;
}

interface SignalOptions {
  /** Whether SIGHUP reloads the settings. Otherwise it stops the process, as SIGTERM does. */
  readonly reloadsOnHangup: boolean;
}

/** Under `npm start`, Ctrl-C arrives twice: from the terminal and from npm. */
const sameKeyMs = 150;

/**
 * Installs the handlers. Call it first: an unhandled SIGUSR2 or SIGHUP ends the process. A second
 * SIGTERM or SIGINT exits with code 1 at once. Node's debugger uses SIGUSR1.
 */
export function installSignals(
  target: Pick<NodeJS.Process, 'on' | 'exit'>,
  { reloadsOnHangup }: SignalOptions,
): Signals {
  const stop = new AbortController();
  let actions: SignalActions | undefined;
  const early = new Set<keyof SignalActions>();

  const act = (action: keyof SignalActions): void => {
    if (actions === undefined) early.add(action);
    else actions[action]();
  };
  const onStop = stopOnce(target, stop);

  target.on('SIGUSR2', () => {
    act('refresh');
  });
  target.on('SIGHUP', (signal) => {
    if (reloadsOnHangup) act('reload');
    else onStop(signal);
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

/** Returns the action of a signal that stops. */
function stopOnce(
  target: Pick<NodeJS.Process, 'exit'>,
  stop: AbortController,
): (signal: NodeJS.Signals) => void {
  let stoppedAt = 0;
  return (signal) => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort(signal);
    } else if (signal === 'SIGHUP') {
      // A terminal that closes sends it twice: the kernel does, and the shell does.
      return;
    } else if (signal !== 'SIGINT' || performance.now() - stoppedAt > sameKeyMs) {
      target.exit(1);
    }
  };
}
