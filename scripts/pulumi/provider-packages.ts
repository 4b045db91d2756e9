import { join } from "node:path";
import { readFileIfThere } from "../core/atomic-file.ts";
import { isInstalled, nearest } from "../core/kit-folder.ts";

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

/** The official SDKs that the kit's components use. In a project that uses the package, it may not name them. */
const ownPackages = ["@pulumi/docker", "@pulumi/postgresql"];

/**
 * Returns the `@pulumi/…` dependencies of the project and the kit that declare a provider plugin, with the installed
 * versions. Packages that are not installed are left out.
 */
export function providerPackages(root: string): ProviderPackage[] {
  const { dependencies = {} } = parse(readFileIfThere(join(root, "package.json")) ?? "{}");
  const names = [...Object.keys(dependencies), ...(isInstalled ? ownPackages : [])];
  return [...new Set(names)]
    .filter((dependency) => dependency.startsWith("@pulumi/"))
    .flatMap((dependency) => {
      const text = packageFile(root, dependency);
      if (text === undefined) return [];
      const { version, pulumi } = parse(text);
      const pluginVersion = pulumi?.version ?? version;
      if (pulumi?.resource !== true || pluginVersion === undefined) return [];
      return [{ name: pulumi.name ?? dependency.slice("@pulumi/".length), version: pluginVersion.replace(/^v/, "") }];
    });
}

/** Reads the package.json of an installed package: of the project, or of the folder that hoists its packages. */
function packageFile(root: string, name: string): string | undefined {
  const folder = nearest(root, [join("node_modules", name)]);
  return folder && readFileIfThere(join(folder, "node_modules", name, "package.json"));
}

function parse(text: string): PackageFile {
  return JSON.parse(text);
}
