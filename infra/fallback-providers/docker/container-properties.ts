import type { Property, PropertyTable } from "../property.ts";
import { isSameDuration, nanoseconds } from "./duration.ts";
import { labelFields } from "./labels.ts";

const replaces = true;
const unsupported = (what: string) => `is not supported here: ${what}`;
const needsOfficial = unsupported("it needs the official plugin");

const duration: Property = {
  kind: "string",
  default: "0s",
  same: isSameDuration,
  fault: (value) =>
    nanoseconds(value as string) === undefined ? `must be a duration (30s, 1m30s), but is "${value}"` : undefined,
};

/** Returns true if a limit is removed, which needs a replacement. Other changes are made in the running container. */
const inPlace = (_before: unknown, after: unknown) =>
  after === undefined || after === null || after === 0 || after === "";

/**
 * Inputs of a container, from the official plugin's documentation. A change of an input without `replaces` is made in
 * place, or affects only the state.
 */
export const containerProperties: PropertyTable = {
  name: { kind: "string", required: true, autoNamed: true, replaces },
  image: { kind: "string", required: true, replaces },
  command: { kind: "list", computed: true, replaces },
  entrypoints: { kind: "list", computed: true, replaces },
  envs: {
    kind: "set",
    computed: true,
    replaces,
    // The message does not repeat the value, which may be a secret.
    fault: (value) =>
      (value as string[]).every((entry) => entry.includes("=")) ? undefined : "must be a list of NAME=value",
  },
  labels: { kind: "objects", fields: labelFields, computed: true, replaces },
  hostname: { kind: "string", computed: true, replaces },
  domainname: { kind: "string", replaces, absent: "" },
  user: { kind: "string", computed: true, replaces },
  workingDir: { kind: "string", computed: true, replaces },
  init: { kind: "boolean", computed: true, replaces },
  tty: { kind: "boolean", replaces, absent: false },
  stdinOpen: { kind: "boolean", replaces, absent: false },
  stopSignal: { kind: "string", computed: true, replaces },
  stopTimeout: { kind: "number", minimum: 0, computed: true, replaces },
  healthcheck: {
    kind: "object",
    computed: true,
    replaces,
    fields: {
      tests: { kind: "list", computed: true },
      interval: duration,
      timeout: duration,
      startPeriod: duration,
      startInterval: duration,
      retries: { kind: "number", minimum: 0, computed: true },
    },
  },

  start: { kind: "boolean", default: true },
  mustRun: {
    kind: "boolean",
    default: true,
    keepsInput: true,
    // False in a state means that the container was found stopped.
    replaces: (before, after) => before === false && after !== false,
  },
  wait: { kind: "boolean", absent: false },
  waitTimeout: { kind: "number", minimum: 1, default: 60 },
  restart: { kind: "string", default: "no", oneOf: ["no", "on-failure", "always", "unless-stopped"] },
  maxRetryCount: { kind: "number", minimum: 0, absent: 0 },
  rm: { kind: "boolean", replaces, absent: false },
  removeVolumes: { kind: "boolean", default: true },
  destroyGraceSeconds: { kind: "number", minimum: 0 },
  containerReadRefreshTimeoutMilliseconds: { kind: "number", minimum: 1, default: 15_000 },
  attach: { kind: "boolean", refused: unsupported("containers run detached"), absent: false },
  logs: { kind: "boolean", refused: unsupported("the engine keeps the logs"), absent: false },

  memory: { kind: "number", minimum: 0, replaces: inPlace, absent: 0 },
  memorySwap: { kind: "number", minimum: -1, replaces: inPlace, absent: 0 },
  cpuShares: { kind: "number", minimum: 0, replaces: inPlace, absent: 0 },
  cpuSet: { kind: "string", replaces: inPlace, absent: "" },
  cpus: {
    kind: "string",
    replaces,
    same: (left, right) => Number(left) === Number(right),
    fault: (value) => (Number(value) > 0 ? undefined : `must be a number above 0 as a string, but is "${value}"`),
  },
  shmSize: { kind: "number", minimum: 0, computed: true, replaces },
  ulimits: {
    kind: "objects",
    replaces,
    absent: [],
    fields: {
      name: { kind: "string", required: true },
      hard: { kind: "number", required: true },
      soft: { kind: "number", required: true },
    },
  },
  sysctls: { kind: "map", replaces },

  networkMode: { kind: "string", default: "bridge", replaces },
  networksAdvanced: {
    kind: "objects",
    replaces,
    absent: [],
    fields: {
      name: { kind: "string", required: true },
      aliases: { kind: "set", absent: [] },
      ipv4Address: { kind: "string", absent: "" },
      ipv6Address: { kind: "string", absent: "" },
      driverOpts: { kind: "set", refused: needsOfficial, absent: [] },
      linkLocalIps: { kind: "set", refused: needsOfficial, absent: [] },
      macAddress: { kind: "string", refused: needsOfficial, absent: "" },
      gwPriority: { kind: "number", refused: needsOfficial },
    },
  },
  ports: {
    kind: "objects",
    replaces,
    absent: [],
    fields: {
      internal: { kind: "number", required: true, minimum: 1, fault: portFault },
      external: { kind: "number", minimum: 0, computed: true, fault: portFault },
      ip: { kind: "string", default: "0.0.0.0" },
      protocol: { kind: "string", default: "tcp", oneOf: ["tcp", "udp", "sctp"] },
    },
  },
  publishAllPorts: { kind: "boolean", replaces, absent: false },
  hosts: {
    kind: "objects",
    replaces,
    absent: [],
    fields: { host: { kind: "string", required: true }, ip: { kind: "string", required: true } },
  },
  dns: { kind: "set", replaces },
  dnsOpts: { kind: "set", replaces },
  dnsSearches: { kind: "set", replaces },

  volumes: {
    kind: "objects",
    replaces,
    absent: [],
    fields: {
      volumeName: { kind: "string", required: true },
      containerPath: { kind: "string", required: true, fault: absolutePathFault },
      readOnly: { kind: "boolean" },
      hostPath: {
        kind: "string",
        refused: unsupported("the engine may run on another machine, which does not have this machine's files"),
        absent: "",
      },
      fromContainer: { kind: "string", refused: needsOfficial, absent: "" },
      selinuxRelabel: { kind: "string", refused: needsOfficial, absent: "" },
    },
  },
  mounts: {
    kind: "objects",
    replaces,
    absent: [],
    fields: {
      target: { kind: "string", required: true, fault: absolutePathFault },
      type: {
        kind: "string",
        required: true,
        fault: (value) =>
          value === "volume" || value === "tmpfs"
            ? undefined
            : `must be volume or tmpfs, but is "${value}": the engine may run on another machine, which does not have this machine's files`,
      },
      source: { kind: "string", absent: "" },
      readOnly: { kind: "boolean", absent: false },
      tmpfsOptions: {
        kind: "object",
        fields: { mode: { kind: "number", minimum: 0 }, sizeBytes: { kind: "number", minimum: 0 } },
      },
      bindOptions: { kind: "object", refused: needsOfficial },
      volumeOptions: { kind: "object", refused: needsOfficial },
    },
  },
  tmpfs: { kind: "map", replaces },
  uploads: {
    kind: "objects",
    replaces,
    absent: [],
    fields: {
      file: { kind: "string", required: true, fault: absolutePathFault },
      content: { kind: "string", absent: "" },
      contentBase64: { kind: "string", absent: "" },
      source: { kind: "string", absent: "" },
      sourceHash: { kind: "string", absent: "" },
      executable: { kind: "boolean", absent: false },
      permissions: {
        kind: "string",
        absent: "",
        fault: (value) =>
          /^[0-7]{0,4}$/.test(value as string) ? undefined : `must be octal (0640), but is "${value}"`,
      },
      owner: { kind: "string", absent: "", fault: idFault },
      group: { kind: "string", absent: "", fault: idFault },
    },
  },
  readOnly: { kind: "boolean", replaces, absent: false },

  privileged: { kind: "boolean", replaces, absent: false },
  capabilities: {
    kind: "object",
    replaces,
    fields: { adds: { kind: "set", absent: [] }, drops: { kind: "set", absent: [] } },
  },
  securityOpts: { kind: "set", computed: true, replaces },
  groupAdds: { kind: "set", replaces },
  deviceCgroupRules: { kind: "set", replaces, omitted: true },
  ipcMode: { kind: "string", computed: true, replaces },
  pidMode: { kind: "string", replaces },
  usernsMode: { kind: "string", replaces, absent: "" },
  runtime: { kind: "string", computed: true, replaces },
  logDriver: { kind: "string", computed: true, replaces },
  logOpts: { kind: "map", computed: true, replaces },

  cgroupParent: { kind: "string", refused: needsOfficial },
  cgroupnsMode: { kind: "string", refused: needsOfficial },
  cpuPeriod: { kind: "number", refused: unsupported("use cpus instead") },
  cpuQuota: { kind: "number", refused: unsupported("use cpus instead") },
  memoryReservation: { kind: "number", refused: needsOfficial, absent: 0 },
  devices: { kind: "objects", refused: needsOfficial, absent: [] },
  deviceReadBps: { kind: "objects", refused: needsOfficial, absent: [] },
  deviceReadIops: { kind: "objects", refused: needsOfficial, absent: [] },
  deviceRequests: { kind: "objects", refused: needsOfficial, absent: [] },
  deviceWriteBps: { kind: "objects", refused: needsOfficial, absent: [] },
  deviceWriteIops: { kind: "objects", refused: needsOfficial, absent: [] },
  gpus: { kind: "string", refused: needsOfficial },
  platform: { kind: "string", computed: true, refused: unsupported("the image determines the platform") },
  storageOpts: { kind: "map", refused: needsOfficial },
};

function portFault(value: unknown): string | undefined {
  return (value as number) > 65_535 ? `must be 65535 or less, but is ${value}` : undefined;
}

function absolutePathFault(value: unknown): string | undefined {
  return (value as string).startsWith("/") ? undefined : `must be an absolute path, but is "${value}"`;
}

function idFault(value: unknown): string | undefined {
  return /^\d*$/.test(value as string)
    ? undefined
    : `must be a numeric id, but is "${value}": names differ between machines`;
}
