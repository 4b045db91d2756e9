import type Docker from "dockerode";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import { isConflict, unlessMissing } from "../../../scripts/docker/docker-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { diffProperties } from "../diff.ts";
import { flag, object, objects, type PropertyTable, text } from "../property.ts";
import type { Engine } from "./engine.ts";
import { isOfSameStack, labelEntries, labelFields, labelsOf, nameTaken } from "./labels.ts";
import { untilRemoved } from "./removal.ts";
import { type Definition, resourceType } from "./resource.ts";

const properties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true, replaces: true },
  attachable: { kind: "boolean", computed: true, replaces: true },
  driver: { kind: "string", computed: true, replaces: true },
  ingress: { kind: "boolean", computed: true, replaces: true },
  internal: { kind: "boolean", computed: true, replaces: true },
  ipamConfigs: {
    kind: "objects",
    computed: true,
    replaces: true,
    absent: [],
    fields: {
      auxAddress: { kind: "map", computed: true },
      gateway: { kind: "string", computed: true },
      ipRange: { kind: "string", computed: true },
      subnet: { kind: "string", computed: true },
    },
  },
  ipamDriver: { kind: "string", default: "default", replaces: true },
  ipamOptions: { kind: "map", replaces: true },
  ipv6: { kind: "boolean", computed: true, replaces: true },
  labels: { kind: "objects", fields: labelFields, replaces: true, absent: [] },
  options: { kind: "map", computed: true, replaces: true },
};

const definition: Definition = {
  typeName: "Network",
  properties,
  outputsOnly: ["id", "scope"],
  constantOutputs: { __meta: '{"schema_version":"1"}' },
  id: (values) => text(values, "id"),
  fromId: (id) => ({ id }),

  async ensure(engine, wanted) {
    if (await isThere(engine, wanted)) return;
    try {
      await engine.docker.createNetwork(request(wanted));
    } catch (error) {
      // Another run was faster. Its network is used if it belongs to this stack.
      if (!isConflict(error) || !(await isThere(engine, wanted))) throw error;
    }
  },

  async find(engine, expected) {
    const there = await inspect(engine.docker, expected);
    return there && outputsOf(there);
  },

  async describeExisting(engine, wanted) {
    const there = await inspect(engine.docker, wanted);
    return there && isOfSameStack(wanted, there.Labels) ? `network ${there.Name}` : undefined;
  },

  remove: (engine, outputs) => remove(engine, text(outputs, "id")),
};

export const network = resourceType(definition);

/**
 * Returns true if an interrupted run of this stack left the network as wanted. A network of this stack that differs is
 * removed.
 *
 * @throws OperationError if the network belongs to another owner
 */
async function isThere(engine: Engine, wanted: Properties): Promise<boolean> {
  const there = await inspect(engine.docker, wanted);
  if (there === undefined) return false;
  if (!isOfSameStack(wanted, there.Labels)) throw nameTaken(`Network "${there.Name}"`, engine.where, there.Labels);
  const old = { id: there.Id, outputs: outputsOf(there), inputs: {} };
  if (diffProperties(properties, old, wanted).changes.length === 0) return true;
  await remove(engine, there.Id);
  return false;
}

async function inspect(docker: Docker, values: Properties): Promise<Docker.NetworkInspectInfo | undefined> {
  const id = text(values, "id") || (await idOf(docker, text(values, "name")));
  if (id === undefined) return undefined;
  return unlessMissing(docker.getNetwork(id).inspect());
}

/** Finds a network by its exact name. Docker's own filter also finds names that only contain it. */
async function idOf(docker: Docker, name: string): Promise<string | undefined> {
  const found = await docker.listNetworks({ filters: { name: [name] } });
  return found.find((candidate) => candidate.Name === name)?.Id;
}

function request(wanted: Properties): Docker.NetworkCreateOptions {
  const configs = objects(wanted, "ipamConfigs").map((config) => ({
    ...(text(config, "subnet") === "" ? {} : { Subnet: text(config, "subnet") }),
    ...(text(config, "gateway") === "" ? {} : { Gateway: text(config, "gateway") }),
    ...(text(config, "ipRange") === "" ? {} : { IPRange: text(config, "ipRange") }),
    ...(config.auxAddress === undefined ? {} : { AuxiliaryAddresses: object(config, "auxAddress") }),
  }));
  const options = object(wanted, "ipamOptions") as Record<string, string>;
  return {
    Name: text(wanted, "name"),
    // Without it, engines before version 25 create a second network of the same name.
    CheckDuplicate: true,
    ...(text(wanted, "driver") === "" ? {} : { Driver: text(wanted, "driver") }),
    Attachable: flag(wanted, "attachable"),
    Ingress: flag(wanted, "ingress"),
    Internal: flag(wanted, "internal"),
    EnableIPv6: flag(wanted, "ipv6"),
    Options: object(wanted, "options") as Record<string, string>,
    Labels: labelsOf(wanted),
    IPAM: {
      Driver: text(wanted, "ipamDriver") || "default",
      ...(Object.keys(options).length > 0 ? { Options: options } : {}),
      ...(configs.length > 0 ? { Config: configs } : {}),
    },
  } as Docker.NetworkCreateOptions;
}

function outputsOf(there: Docker.NetworkInspectInfo): Properties {
  const { IPAM } = there;
  const configs = (IPAM?.Config ?? []) as Record<string, unknown>[];
  return {
    id: there.Id,
    name: there.Name,
    attachable: there.Attachable,
    driver: there.Driver,
    ingress: there.Ingress,
    internal: there.Internal,
    ipamConfigs: configs.map((config) => ({
      auxAddress: config.AuxiliaryAddresses ?? {},
      gateway: config.Gateway ?? "",
      ipRange: config.IPRange ?? "",
      subnet: config.Subnet ?? "",
    })),
    ipamDriver: IPAM?.Driver ?? "default",
    ipamOptions: IPAM?.Options ?? null,
    ipv6: there.EnableIPv6,
    labels: labelEntries(there.Labels),
    options: there.Options ?? {},
    scope: there.Scope,
  };
}

/** Removes a network. It retries, since containers leave a network only a moment after their removal. */
async function remove(engine: Engine, id: string): Promise<void> {
  await untilRemoved(engine, /active endpoints/, {
    remove: () => engine.docker.getNetwork(id).remove(),
    refusal: async (said) => {
      const there = await inspect(engine.docker, { id });
      const users = Object.values(there?.Containers ?? {}).map(({ Name }) => `"${Name}"`);
      return new OperationError(`Network "${there?.Name ?? id}" cannot be removed: ${said}.`, {
        ...(users.length > 0 ? { hint: `Remove or disconnect these containers: ${users.join(", ")}.` } : {}),
      });
    },
  });
}
