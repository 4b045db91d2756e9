import type { Properties } from "../../../../../infra/plugin/values.ts";
import type { Connection } from "../../../../../scripts/target/connection.ts";
import { StandInProcess } from "../../../../stand-in-process.ts";

export { declared, type Made } from "../../../../stand-in-process.ts";

/** The stand-in for the postgresql provider, connected to a test's server; inputs named `password` travel as secrets. */
export class PluginProcess extends StandInProcess {
  static start(connection: Connection, config: Properties = {}): Promise<PluginProcess> {
    const { host, user, password, sslmode } = connection;
    const access = { host, port: String(connection.port), username: user, password, sslmode, superuser: "true" };
    return new PluginProcess({
      name: "postgresql",
      config: { ...access, ...config },
      secretKeys: ["password"],
    }).started();
  }
}
