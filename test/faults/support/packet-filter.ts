import { spawnSync } from 'node:child_process';
import { onTestFinished, type TestContext } from 'vitest';

/** Drops packets on the way to a server, so that no response arrives. A proxy cannot do that. */
export interface PacketFilter {
  /** Drops packets to and from this address and port. */
  drop(): void;
  pass(): void;
}

/** Needs iptables and the right to use it. */
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
