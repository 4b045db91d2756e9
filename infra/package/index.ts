/**
 * Components for Pulumi programs: `import { Database, EmbeddedServer } from "pgroundwork/pulumi"`. They take Pulumi's
 * options (`parent`, `protect`, `dependsOn`, `aliases`), and work next to resources of other providers. The provider
 * plugin is part of this package; a project needs no entry for it in Pulumi.yaml.
 */
import { requireOnePulumi } from "./one-pulumi.ts";

export type { Login } from "../components/server.ts";
export { Database, type DatabaseArgs, type DatabaseLogin } from "./database.ts";
export { EmbeddedServer, type EmbeddedServerArgs } from "./embedded-server.ts";
export type { ProgramServer } from "./server.ts";

requireOnePulumi(process.cwd());
