/** Keys at the top level of settings files, by the name of the file. */
export type TopLevelKeys = Readonly<Record<string, readonly string[]>>;

/** Namespace of the kit's settings in Pulumi's configuration. Other namespaces belong to providers and to Pulumi. */
export const namespace = "pgroundwork:";

/** A setting at the top level of a settings file, where it has no effect. */
export interface MisplacedSetting {
  setting: string;
  reason: string;
}

/** Finds settings at the top level of settings files: keys with the kit's namespace, or names of settings alone. */
export function findMisplaced(topLevel: TopLevelKeys, isSetting: (name: string) => boolean): MisplacedSetting[] {
  return Object.entries(topLevel).flatMap(([file, keys]) =>
    keys
      .filter((key) => key.startsWith(namespace) || isSetting(key))
      .map((key) => {
        const setting = key.startsWith(namespace) ? key.slice(namespace.length) : key;
        const reason = `has no effect at the top level of ${file}; move it below 'config:', indented, as '${namespace}${setting}'`;
        return { setting, reason };
      }),
  );
}
