import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';

/** A file system for a server's data. */
interface SmallDisk {
  readonly folder: string;
  /** Fills the disk. */
  fill(): Promise<void>;
  free(): void;
}

/** Mounts a file system next to a cluster, owned by the same user. Needs root. */
export function mountSmallDisk(
  { skip }: Pick<TestContext, 'skip'>,
  cluster: string,
  size: string,
): SmallDisk {
  const mountPoint = `${cluster}-disk`;
  const { uid, gid } = statSync(cluster);
  mkdirSync(mountPoint);
  const options = `size=${size},mode=0700,uid=${uid},gid=${gid}`;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', mountPoint]);
  onTestFinished(() => {
    // Lazily, because the server is removed later.
    if (status === 0) spawnSync('umount', ['-l', mountPoint]);
    rmdirSync(mountPoint);
  });
  skip(status !== 0, 'needs the right to mount a file system');
  const ballast = path.join(mountPoint, 'ballast');
  return {
    folder: mountPoint,
    fill: async () => {
      const file = await open(ballast, 'w');
      try {
        for (;;) await file.writeFile(Buffer.alloc(4_096));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        await file.close();
      }
    },
    free: () => {
      rmSync(ballast);
    },
  };
}
