import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { decode, type Properties } from "../../../../infra/provider-protocol/values.ts";

/** A registered resource. Other resources are referred to by name. */
export interface Recorded {
  type: string;
  name: string;
  inputs: Properties;
  /** Names of secret inputs. */
  secrets: string[];
  /** Names of outputs that the program marks as secret. */
  secretOutputs: string[];
  parent: string;
  /** Names of its dependencies, explicit or through outputs. */
  dependsOn: string[];
  protect: boolean;
  retainOnDelete: boolean;
  deletedWith: string;
  provider: string;
  /** Id of an existing object that is adopted; empty if the object is created. */
  imported: string;
}

/** Outputs of the kit's resources by type. Other resources have their inputs as outputs. */
const outputs: Record<string, (name: string) => Properties> = {
  "pgroundwork:index:EmbeddedServer": () => ({
    host: "127.0.0.1",
    port: 20_123,
    dataDirectory: "/data",
    logDirectory: "/log",
    pid: 42,
  }),
  "pgroundwork:index:DockerNames": (name) => ({
    prefix: `project-stack-${name.replace(/-docker-names$/, "")}`,
    owner: "0123456789ab",
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
  "pgroundwork:index:VolumeFiles": (name) => ({ revision: `revision of ${name}` }),
  "pgroundwork:index:Migrations": () => ({ applied: ["000001-one.sql"] }),
  "pgroundwork:index:Seeds": (name) => ({ applied: [`01 of ${name}`] }),
};

/** Makes Pulumi register resources with a recorder instead of the engine. */
export async function recordResources(
  call: (args: pulumi.runtime.MockCallArgs) => Properties = () => ({}),
): Promise<{ recorded(): Recorded[]; one(name: string): Recorded }> {
  const requests: RegisterResourceRequest[] = [];
  const register = MockMonitor.prototype.registerResource;
  // Mocks only receive type, name and inputs; the request has the options, too.
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

/** Creates a component and waits until the component and its resources are registered. */
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

/** Resolves with the value of an output. */
export function value<T>(output: pulumi.Output<T>): Promise<unknown> {
  return new Promise((resolve) => output.apply(resolve));
}
