import type Docker from "dockerode";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import { unlessMissing } from "../../../scripts/docker/docker-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { diffProperties } from "../diff.ts";
import { object, type PropertyTable, text } from "../property.ts";
import { isOfSameStack, labelEntries, labelFields, labelsOf, nameTaken } from "./labels.ts";
import { untilRemoved } from "./removal.ts";
import { type Definition, resourceType } from "./resource.ts";

const properties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true, replaces: true },
  driver: { kind: "string", computed: true, replaces: true },
  driverOpts: { kind: "map", replaces: true },
  labels: { kind: "objects", fields: labelFields, replaces: true, absent: [] },
  cluster: { kind: "object", refused: "is not supported here: swarm volumes need the official plugin" },
};

const definition: Definition = {
  typeName: "Volume",
  properties,
  outputsOnly: ["mountpoint"],
  constantOutputs: { __meta: '{"schema_version":"1"}' },
  id: (values) => text(values, "name"),
  fromId: (name) => ({ name }),

  async ensure({ docker, where }, wanted) {
    const name = text(wanted, "name");
    // Docker would return an existing volume of that name, even with another owner's data.
    const there = await inspect(docker, name);
    if (there !== undefined) {
      if (!isOfSameStack(wanted, there.Labels)) throw nameTaken(`Volume "${name}"`, where, there.Labels);
      const old = { id: name, outputs: outputsOf(there), inputs: {} };
      // A volume's labels cannot be changed. Its data matters more than its labels.
      const different = diffProperties(properties, old, wanted).changes.filter(({ path }) => path !== "labels");
      if (different.length === 0) return;
      const keys = different.map(({ path }) => path).join(" and ");
      throw new OperationError(`Volume "${name}" of this stack already exists with another ${keys}.`, {
        hint: "Declare its existing values, use another name, or remove the volume by hand, which deletes its data.",
      });
    }
    const driver = text(wanted, "driver");
    const options = object(wanted, "driverOpts") as Record<string, string>;
    await docker.createVolume({
      Name: name,
      ...(driver === "" ? {} : { Driver: driver }),
      ...(Object.keys(options).length === 0 ? {} : { DriverOpts: options }),
      Labels: labelsOf(wanted),
    });
  },

  async find({ docker }, expected) {
    const there = await inspect(docker, text(expected, "name"));
    return there && outputsOf(there);
  },

  async describeExisting({ docker }, wanted) {
    const there = await inspect(docker, text(wanted, "name"));
    const isOurs = there !== undefined && isOfSameStack(wanted, there.Labels);
    return isOurs ? `volume ${there.Name} with its data` : undefined;
  },

  async remove(engine, outputs) {
    const name = text(outputs, "name");
    await untilRemoved(engine, /in use/, {
      remove: () => engine.docker.getVolume(name).remove(),
      refusal: async () => {
        const users = await engine.docker.listContainers({ all: true, filters: { volume: [name] } });
        const names = users.map((user) => `"${user.Names[0]?.slice(1) ?? user.Id}"`);
        return new OperationError(`Volume "${name}" cannot be removed: it is in use by ${names.join(", ")}.`, {
          hint: "Remove these containers first.",
        });
      },
    });
  },
};

export const volume = resourceType(definition);

function inspect(docker: Docker, name: string): Promise<Docker.VolumeInspectInfo | undefined> {
  return unlessMissing(docker.getVolume(name).inspect());
}

function outputsOf(there: Docker.VolumeInspectInfo): Properties {
  return {
    name: there.Name,
    driver: there.Driver,
    driverOpts: there.Options,
    labels: labelEntries(there.Labels),
    mountpoint: there.Mountpoint,
  };
}
