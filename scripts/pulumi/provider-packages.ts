import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFileIfThere } from "../core/atomic-file.ts";

/** An official provider plugin that the kit's program uses. */
export interface ProviderPackage {
  /** Name as in `pulumi plugin install resource <name>`. */
  name: string;
  version: string;
}

interface PackageFile {
  version?: string;
  dependencies?: Record<string, string>;
  pulumi?: { resource?: boolean; name?: string; version?: string };
}

/** Returns the project's `@pulumi/…` dependencies that declare a provider plugin, with the installed versions. */
export function providerPackages(root: string): ProviderPackage[] {
  const { dependencies = {} } = parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.keys(dependencies)
    .filter((dependency) => dependency.startsWith("@pulumi/"))
    .flatMap((dependency) => {
      const text = readFileIfThere(join(root, "node_modules", dependency, "package.json"));
      if (text === undefined) return [];
      const { version, pulumi } = parse(text);
      const pluginVersion = pulumi?.version ?? version;
      if (pulumi?.resource !== true || pluginVersion === undefined) return [];
      return [{ name: pulumi.name ?? dependency.slice("@pulumi/".length), version: pluginVersion.replace(/^v/, "") }];
    });
}

function parse(text: string): PackageFile {
  return JSON.parse(text);
}
