import { spawnSync } from 'node:child_process';
import { onTestFinished, type TestContext } from 'vitest';

/** A way to a server on which packets can be lost, as no proxy can do it: without any answer. */
export interface PacketFilter {
  /** Drops what goes to this address and port, and what comes from there. */
  drop(): void;
  pass(): void;
}

/** Needs iptables, and the right to use it. */
export function packetFilter(
  { skip }: Pick<TestContext, 'skip'>,
  host: string,
  port: number,
): PacketFilter {
  const rules = [
    ['INPUT', '-p', 'tcp', '-d', host, '--dport', String(port), '-j', 'DROP'],
    ['INPUT', '-p', 'tcp', '-s', host, '--sport', String(port), '-j', 'DROP'],
  ];
  const change = (how: '-I' | '-D'): void => {
    for (const rule of rules) iptables(how, ...rule);
  };
  let isDropping = false;
  const pass = (): void => {
    if (isDropping) change('-D');
    isDropping = false;
  };
  skip(!iptables('-n', '-L', 'INPUT'), 'needs iptables, and root');
  onTestFinished(pass);
  return {
    drop: () => {
      isDropping = true;
      change('-I');
    },
    pass,
  };
}

function iptables(...args: readonly string[]): boolean {
  return spawnSync('iptables', ['-w', ...args], { stdio: 'ignore' }).status === 0;
}
