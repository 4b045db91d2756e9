/** The resource types of the kit's own plugin. */
export type ResourceName = "EmbeddedServer" | "Migrations" | "Partitions" | "Password" | "Ready" | "Seeds";

/** A type's token, as it stands in URNs, state and schema. */
export function resourceToken(name: ResourceName): string {
  return `pgroundwork:index:${name}`;
}
