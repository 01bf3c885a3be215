import type { z } from 'zod';

export interface Setting {
  /** From the text of the setting to its value; its message says what was expected. */
  readonly schema: z.ZodType<unknown, string>;
  /** As text; read by the schema like any other value. */
  readonly default: string | undefined;
  /** What stands in for a default that depends on other settings, in words. */
  readonly defaultNote?: string;
  /** What `.env.example` shows where there is no default. */
  readonly example?: string;
  readonly about: string;
  readonly isSecret?: boolean;
  /** Never taken from Parameter Store: needed to find it, or by those who must not read it. */
  readonly isLocal?: boolean;
}
