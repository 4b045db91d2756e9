import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { decode, type Properties } from "../../../../infra/plugin/values.ts";

/** A resource as it was registered; other resources by their names. */
export interface Recorded {
  type: string;
  name: string;
  inputs: Properties;
  /** Keys of inputs that were secret. */
  secrets: string[];
  /** Outputs that the program wants sealed. */
  secretOutputs: string[];
  parent: string;
  /** What it waits for, whether it was told to or uses its outputs. */
  dependsOn: string[];
  protect: boolean;
  retainOnDelete: boolean;
  deletedWith: string;
  provider: string;
  /** Id of what is there already and taken over; "": it is made. */
  imported: string;
}

/** Outputs that the resources of the kit answer with, by type; others answer their inputs. */
const outputs: Record<string, (name: string) => Properties> = {
  "pgroundwork:index:EmbeddedServer": () => ({
    host: "127.0.0.1",
    port: 20_123,
    dataDirectory: "/data",
    logDirectory: "/log",
    pid: 42,
  }),
  "pgroundwork:index:Ready": () => ({ serverVersion: "17.10" }),
  "pgroundwork:index:Password": (name) => ({ result: pulumi.secret(`result of ${name}`) }),
  "pgroundwork:index:CertificateAuthority": (name) => ({
    certificate: `certificate of ${name}`,
    privateKey: pulumi.secret(`key of ${name}`),
    trustBundle: `bundle of ${name}`,
  }),
  "pgroundwork:index:ServerCertificate": (name) => ({
    certificate: `certificate of ${name}`,
    privateKey: pulumi.secret(`key of ${name}`),
  }),
  "pgroundwork:index:Migrations": () => ({ applied: ["000001-one.sql"] }),
  "pgroundwork:index:Seeds": (name) => ({ applied: [`01 of ${name}`] }),
};

/** Has Pulumi register resources with a recorder in the engine's place. */
export async function recordResources(
  call: (args: pulumi.runtime.MockCallArgs) => Properties = () => ({}),
): Promise<{ recorded(): Recorded[]; one(name: string): Recorded }> {
  const requests: RegisterResourceRequest[] = [];
  const register = MockMonitor.prototype.registerResource;
  // The mocks are told type, name and inputs only; options stand in the request.
  MockMonitor.prototype.registerResource = function (this: MockMonitor, request, callback) {
    requests.push(request);
    return register.call(this, request, callback);
  };
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => ({ id: `id of ${name}`, state: { ...inputs, ...outputs[type]?.(name) } }),
    call,
  });
  const recorded = () => requests.map(recordOf);
  return {
    recorded,
    one: (name) => {
      const found = recorded().filter((each) => each.name === name);
      if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} resources are called ${name}`);
      return found[0];
    },
  };
}

function recordOf(request: RegisterResourceRequest): Recorded {
  const { values, secretKeys } = decode(request.getObject());
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: values,
    secrets: [...secretKeys].sort(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    parent: nameOf(request.getParent()),
    dependsOn: request.getDependenciesList().map(nameOf),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    deletedWith: nameOf(request.getDeletedwith()),
    // A provider is referred to as URN::ID.
    provider: nameOf(request.getProvider().replace(/::id of .*$/, "")),
    imported: request.getImportid(),
  };
}

function nameOf(urn: string): string {
  return urn === "" ? "" : urn.slice(urn.lastIndexOf("::") + 2);
}

/** Makes a component and waits until it and all that it declares are registered. */
export async function registered<Component extends pulumi.Resource>(
  make: (options: pulumi.ComponentResourceOptions) => Component,
): Promise<Component> {
  const resources: pulumi.Resource[] = [];
  const component = make({
    transformations: [
      ({ resource }) => {
        resources.push(resource);
        return undefined;
      },
    ],
  });
  await Promise.all(resources.map((resource) => value(resource.urn)));
  return component;
}

/** What an output comes to. */
export function value<T>(output: pulumi.Output<T>): Promise<unknown> {
  return new Promise((resolve) => output.apply(resolve));
}
