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
}

/**
 * Takes out the optional extensions that a server does not offer. Required ones stay in: where one is missing, making it fails with the server's own words.
 *
 * @param available names that the server offers
 */
export function narrowExtensions<Extension extends Declared>(
  declared: readonly Extension[],
  available: ReadonlySet<string>,
): NarrowedExtensions<Extension> {
  const unavailable = declared.filter(({ name, optional }) => optional && !available.has(name));
  return {
    extensions: declared.filter((extension) => !unavailable.includes(extension)),
    missing: unavailable.map(({ name }) => name),
  };
}
