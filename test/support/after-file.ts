const cleanUps: (() => Promise<void>)[] = [];

/**
 * Registers a function that is called after the last test of the current file, in reverse order of the registrations.
 *
 * For modules that several test files import. A worker evaluates them only once, so that an `afterAll` of theirs would
 * be called after the first of its files only, and a hook that is registered while another hook runs never.
 */
export function afterFile(cleanUp: () => Promise<void>): void {
  cleanUps.push(cleanUp);
}

/**
 * Calls the registered functions, and forgets them. One that fails does not stop the others.
 *
 * @throws AggregateError with all failures
 */
export async function cleanUpFile(): Promise<void> {
  const errors: unknown[] = [];
  for (const cleanUp of cleanUps.splice(0).reverse()) {
    await cleanUp().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw new AggregateError(errors, `clean-up after the file failed: ${errors.join("; ")}`);
}
