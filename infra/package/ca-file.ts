import { relative } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { projectFolder } from "../../scripts/core/kit-folder.ts";
import { writeCaFile } from "../../scripts/tls/ca-file.ts";

/**
 * Writes the CA certificates of a server to a file, for the postgresql provider, which accepts only a file.
 *
 * @param server its name; undefined for the one server of the kit's own program
 * @returns the file's path, relative to the folder in which program and plugins run. A path that is the same on every
 * machine changes no provider.
 */
export function providerCaFile(certificates: string, server: string | undefined): string {
  return relative(process.cwd(), writeCaFile(projectFolder(), pulumi.getStack(), certificates, server));
}
