import { expect, test } from 'vitest';

/** What a skipped test's name ends with; scripts/check-skips.mjs knows tests by what is before it. */
export const because = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);

/** Stands for tests that cannot be there at all, such as those of a backend that is not set up. */
export function absent(name: string, reason: string): void {
  test(`${name}${because(reason)}`, ({ skip }) => {
    skip(reason);
    expect.unreachable();
  });
}
