import { relative } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { projectFolder } from "../../scripts/core/kit-folder.ts";
import { writeAuthorityFile } from "../../scripts/tls/authority-file.ts";

/**
 * Returns a function that writes the CA certificates of a server to a file, for the postgresql provider, which accepts
 * only a file. The function returns the file's path, relative to the folder in which program and plugins run. A path
 * that is the same on every machine changes no provider.
 */
export function caFileOf(server: string): (certificates: string) => string {
  return (certificates) =>
    relative(process.cwd(), writeAuthorityFile(projectFolder(), pulumi.getStack(), certificates, server));
}
