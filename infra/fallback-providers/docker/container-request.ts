import type Docker from "dockerode";
import type { Properties } from "../../provider-protocol/values.ts";
import { count, flag, isEmpty, object, objects, strings, text } from "../property.ts";
import { nanoseconds } from "./duration.ts";
import { labelsOf } from "./labels.ts";

const bytesInMegabyte = 2 ** 20;

/**
 * Returns the request that creates a container. Omitted inputs are left out, so that the image's or the engine's own
 * values apply.
 */
export function createRequest(wanted: Properties): Docker.ContainerCreateOptions {
  return given({
    name: text(wanted, "name"),
    Image: text(wanted, "image"),
    Cmd: list(wanted, "command"),
    Entrypoint: list(wanted, "entrypoints"),
    Env: strings(wanted, "envs"),
    Labels: labelsOf(wanted),
    Hostname: text(wanted, "hostname"),
    Domainname: text(wanted, "domainname"),
    User: text(wanted, "user"),
    WorkingDir: text(wanted, "workingDir"),
    Tty: flag(wanted, "tty"),
    OpenStdin: flag(wanted, "stdinOpen"),
    StopSignal: text(wanted, "stopSignal"),
    StopTimeout: wanted.stopTimeout,
    Healthcheck: healthcheck(wanted),
    ExposedPorts: Object.fromEntries(objects(wanted, "ports").map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(wanted),
  }) as Docker.ContainerCreateOptions;
}

/** Returns the request for settings that an engine changes in a running container. */
export function updateRequest(wanted: Properties) {
  return {
    RestartPolicy: restartPolicy(wanted),
    ...memoryLimits(wanted),
    CpuShares: count(wanted, "cpuShares"),
    CpusetCpus: text(wanted, "cpuSet"),
  };
}

/** Returns a container port as the engine names it: `5432/tcp`. */
export function portKey(port: Properties): string {
  return `${count(port, "internal")}/${text(port, "protocol") || "tcp"}`;
}

/** Returns the settings of a container's connection to one of its networks. */
export function endpointConfig(network: Properties): Docker.EndpointSettings {
  const [IPv4Address, IPv6Address] = [text(network, "ipv4Address"), text(network, "ipv6Address")];
  const addresses = given({ IPv4Address, IPv6Address });
  return given({ Aliases: strings(network, "aliases"), IPAMConfig: addresses }) as unknown as Docker.EndpointSettings;
}

function hostConfig(wanted: Properties) {
  const cpus = Number(text(wanted, "cpus") || 0);
  const capabilities = object(wanted, "capabilities");
  return given({
    RestartPolicy: restartPolicy(wanted),
    ...memoryLimits(wanted),
    CpuShares: count(wanted, "cpuShares"),
    CpusetCpus: text(wanted, "cpuSet"),
    NanoCpus: Math.round(cpus * 1e9),
    ShmSize: count(wanted, "shmSize") * bytesInMegabyte,
    Ulimits: objects(wanted, "ulimits").map((limit) => ({ Name: limit.name, Hard: limit.hard, Soft: limit.soft })),
    Sysctls: object(wanted, "sysctls"),
    AutoRemove: flag(wanted, "rm"),
    Init: wanted.init,
    NetworkMode: text(wanted, "networkMode") || "bridge",
    PortBindings: portBindings(wanted),
    PublishAllPorts: flag(wanted, "publishAllPorts"),
    ExtraHosts: objects(wanted, "hosts").map(({ host, ip }) => `${host}:${ip}`),
    Dns: strings(wanted, "dns"),
    DnsOptions: strings(wanted, "dnsOpts"),
    DnsSearch: strings(wanted, "dnsSearches"),
    Binds: objects(wanted, "volumes").map(
      (volume) => `${volume.volumeName}:${volume.containerPath}${flag(volume, "readOnly") ? ":ro" : ""}`,
    ),
    Mounts: objects(wanted, "mounts").map(mount),
    Tmpfs: object(wanted, "tmpfs"),
    ReadonlyRootfs: flag(wanted, "readOnly"),
    Privileged: flag(wanted, "privileged"),
    CapAdd: strings(capabilities, "adds"),
    CapDrop: strings(capabilities, "drops"),
    SecurityOpt: strings(wanted, "securityOpts"),
    GroupAdd: strings(wanted, "groupAdds"),
    DeviceCgroupRules: strings(wanted, "deviceCgroupRules"),
    IpcMode: text(wanted, "ipcMode"),
    PidMode: text(wanted, "pidMode"),
    UsernsMode: text(wanted, "usernsMode"),
    Runtime: text(wanted, "runtime"),
    LogConfig: given({ Type: text(wanted, "logDriver"), Config: object(wanted, "logOpts") }),
  });
}

function restartPolicy(wanted: Properties) {
  return { Name: text(wanted, "restart") || "no", MaximumRetryCount: count(wanted, "maxRetryCount") };
}

/** Returns memory and swap limits together: the kernel refuses a limit that exceeds the other, even for a moment. */
function memoryLimits(wanted: Properties) {
  const memory = count(wanted, "memory") * bytesInMegabyte;
  const swap = count(wanted, "memorySwap");
  if (memory === 0) return {};
  // The engine chooses twice the memory for a new container, but keeps the old value for an existing one.
  return { Memory: memory, MemorySwap: swap === 0 ? 2 * memory : swap < 0 ? -1 : swap * bytesInMegabyte };
}

function healthcheck(wanted: Properties) {
  const check = object(wanted, "healthcheck");
  const nanos = (key: string) => nanoseconds(text(check, key)) ?? 0;
  return given({
    Test: list(check, "tests"),
    Interval: nanos("interval"),
    Timeout: nanos("timeout"),
    StartPeriod: nanos("startPeriod"),
    StartInterval: nanos("startInterval"),
    Retries: count(check, "retries"),
  });
}

function portBindings(wanted: Properties) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of objects(wanted, "ports")) {
    const external = count(port, "external");
    const binding = { HostIp: text(port, "ip"), HostPort: external === 0 ? "" : String(external) };
    const key = portKey(port);
    bindings[key] = [...(bindings[key] ?? []), binding];
  }
  return bindings;
}

function mount(wanted: Properties) {
  const options = object(wanted, "tmpfsOptions");
  return given({
    Type: wanted.type,
    Source: text(wanted, "source"),
    Target: wanted.target,
    ReadOnly: flag(wanted, "readOnly"),
    TmpfsOptions: given({ SizeBytes: options.sizeBytes, Mode: options.mode }),
  });
}

/** Returns a list with its repetitions, which matter in a command. */
function list(values: Properties, key: string): unknown[] {
  const value = values[key];
  return Array.isArray(value) ? value : [];
}

/** Removes empty values. `false` is kept for the init process, where it is a setting. */
function given(values: Properties): Properties {
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => (key === "Init" ? typeof value === "boolean" : !isEmpty(value))),
  );
}
