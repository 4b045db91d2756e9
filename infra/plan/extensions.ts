/** An extension that a database declares. */
interface Declared {
  name: string;
  optional: boolean;
}

/** Declared extensions, sorted by whether a server can have them. */
export interface NarrowedExtensions<Extension> {
  extensions: Extension[];
  /** Optional extensions that the server cannot have. They are reported but cause no failure. */
  missing: string[];
  /** Required extensions that the server cannot have. */
  impossible: string[];
}

/**
 * Sorts the declared extensions by whether a server offers them.
 *
 * @param available names of the extensions that the server offers
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
