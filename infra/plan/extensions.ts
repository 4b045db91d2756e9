/** An extension that a database declares. */
interface Declared {
  name: string;
  optional: boolean;
}

/** What of the declared extensions a server can have. */
export interface NarrowedExtensions<Extension> {
  extensions: Extension[];
  /** Optional ones that it cannot have: reported, not failed on. */
  missing: string[];
  /** Required ones that it cannot have. */
  impossible: string[];
}

/**
 * Sorts the declared extensions by whether a server offers them.
 *
 * @param available names that the server offers
 */
export function narrowExtensions<Extension extends Declared>(
  declared: readonly Extension[],
  available: ReadonlySet<string>,
): NarrowedExtensions<Extension> {
  const unavailable = declared.filter(({ name }) => !available.has(name));
  return {
    extensions: declared.filter((extension) => !unavailable.includes(extension)),
    missing: unavailable.filter(({ optional }) => optional).map(({ name }) => name),
    impossible: unavailable.filter(({ optional }) => !optional).map(({ name }) => name),
  };
}
