import type Docker from "dockerode";
import type { Properties } from "../../provider-protocol/values.ts";
import { objects, strings, text } from "../property.ts";
import { portKey } from "./container-request.ts";

/* A container's outputs for its networks, from the engine's facts. */

type Loose = Record<string, unknown>;

/**
 * Returns the declared networks that the container is attached to. For an undeclared container, returns all except the
 * network of its mode.
 */
export function networksAdvanced(container: Docker.ContainerInspectInfo, expected: Properties): Properties[] {
  const attached = Object.entries(container.NetworkSettings.Networks ?? {});
  // The engine adds the container's short id and its hostname.
  const added = [container.Id.slice(0, 12), container.Config.Hostname];
  const outputs = (name: string, endpoint: Loose, declared: Properties) => {
    const addresses = (endpoint.IPAMConfig ?? {}) as Loose;
    const own = strings(declared, "aliases");
    return {
      aliases: ((endpoint.Aliases ?? []) as string[]).filter((alias) => own.includes(alias) || !added.includes(alias)),
      driverOpts: [],
      gwPriority: null,
      ipv4Address: addresses.IPv4Address ?? "",
      ipv6Address: addresses.IPv6Address ?? "",
      linkLocalIps: [],
      macAddress: "",
      name,
    };
  };
  if (expected.networkMode === undefined) {
    const byMode = container.HostConfig.NetworkMode;
    return attached
      .filter(([name]) => name !== byMode && !(name === "bridge" && byMode === "default"))
      .map(([name, endpoint]) => outputs(name, endpoint as unknown as Loose, {}));
  }
  return objects(expected, "networksAdvanced").flatMap((declared) => {
    const wanted = text(declared, "name");
    const found = attached.find(([name, endpoint]) => name === wanted || endpoint.NetworkID === wanted);
    return found === undefined ? [] : [outputs(wanted, found[1] as unknown as Loose, declared)];
  });
}

/** Returns the addresses of a container in its networks, sorted by network name. */
export function networkDatas(container: Docker.ContainerInspectInfo): Properties[] {
  return Object.entries(container.NetworkSettings.Networks ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([networkName, endpoint]) => ({
      gateway: endpoint.Gateway,
      globalIpv6Address: endpoint.GlobalIPv6Address,
      globalIpv6PrefixLength: endpoint.GlobalIPv6PrefixLen,
      ipAddress: endpoint.IPAddress,
      ipPrefixLength: endpoint.IPPrefixLen,
      ipv6Gateway: endpoint.IPv6Gateway,
      macAddress: endpoint.MacAddress,
      networkName,
    }));
}

/** Returns the requested ports, with the ports that the engine chose while it runs. */
export function ports(container: Docker.ContainerInspectInfo): Properties[] {
  const bindings = (container.HostConfig.PortBindings ?? {}) as Record<string, { HostIp: string; HostPort: string }[]>;
  const bound = (container.NetworkSettings.Ports ?? {}) as Record<string, (typeof bindings)[string] | null>;
  return Object.entries(bindings)
    .flatMap(([key, wishes]) =>
      wishes.map((wish, index) => {
        const [internal, protocol = "tcp"] = key.split("/");
        const found = (bound[key] ?? []).filter(({ HostIp }) => wish.HostIp === "" || HostIp === wish.HostIp);
        // Several requests for one port and address have their results in the same order.
        const chosen = found[Math.min(index, found.length - 1)]?.HostPort ?? "0";
        const external = Number(wish.HostPort || 0) || Number(chosen);
        return { external, internal: Number(internal), ip: wish.HostIp, protocol };
      }),
    )
    .sort((a, b) => portKey(a).localeCompare(portKey(b)) || a.external - b.external);
}

/** Parses `db:10.0.0.1` and `db:::1`. */
export function hostEntry(entry: string): Properties {
  const end = entry.indexOf(":");
  return { host: entry.slice(0, end), ip: entry.slice(end + 1) };
}
