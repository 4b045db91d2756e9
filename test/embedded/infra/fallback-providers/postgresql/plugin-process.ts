import type { Properties } from "../../../../../infra/provider-protocol/values.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";
import { FallbackProviderProcess } from "../../../../fallback-provider-process.ts";

export { declared, type Made } from "../../../../fallback-provider-process.ts";

/** The postgresql fallback provider, connected to a test's server. Inputs named `password` are sent as secrets. */
export class PluginProcess extends FallbackProviderProcess {
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
