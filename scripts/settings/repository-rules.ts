import type {
  AzureRepository,
  GcsRepository,
  RemoteRepository,
  S3Repository,
  SftpRepository,
} from "../model/repository.ts";

/** A property of a repository: which values it accepts, the words for what is expected, and its default. */
export interface PropertyRule {
  /** A regular expression, or a check of the whole text. */
  accepts: Pick<RegExp, "test">;
  expected: string;
  default?: string;
  optional?: true;
  isNumber?: true;
  isSecret?: true;
}

/** The properties of a type of repository. */
export interface RepositoryRules {
  properties: Readonly<Record<string, PropertyRule>>;
  /** Two properties of which exactly one must be given. Both are optional. */
  either?: readonly [string, string];
}

type RulesOf<Type extends RemoteRepository> = RepositoryRules & {
  properties: Readonly<Record<Exclude<keyof Type, "type" | "retentionDays">, PropertyRule>>;
};

const path: PropertyRule = {
  accepts: /^\/[\w./-]*[\w-]$/,
  expected: "an absolute path without a slash at its end, such as /shop/production",
};

const endpoint: PropertyRule = {
  accepts: /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i,
  expected: "a host name, with a port if needed and without https://",
};

const bucket: PropertyRule = { accepts: /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, expected: "the name of a bucket" };

const uriStyle: PropertyRule = { accepts: /^(path|host)$/, expected: "path or host" };

const caFile: PropertyRule = { accepts: /^[^\s].*$/, expected: "the path of a file", optional: true };

/** A secret in one line. A line break would add options to pgbackrest.conf. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const secretLine = { accepts: /^[^\s\u0000-\u001f]+$/, isSecret: true } as const;

const s3: RulesOf<S3Repository> = {
  properties: {
    endpoint,
    region: { accepts: /^[a-z0-9-]+$/i, expected: "a region, such as eu-central-1" },
    bucket: { ...bucket, accepts: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ },
    path,
    uriStyle: { ...uriStyle, default: "path" },
    caFile,
    key: { ...secretLine, expected: "the access key" },
    keySecret: { ...secretLine, expected: "the secret of the access key" },
  },
};

const sftp: RulesOf<SftpRepository> = {
  properties: {
    host: { accepts: /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, expected: "a host name, without sftp:// and without a port" },
    port: {
      accepts: { test: (text) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 },
      expected: "a port from 1 to 65535",
      default: "22",
      isNumber: true,
    },
    user: { accepts: /^[a-z0-9_][\w.@+-]*$/i, expected: "the name of an account" },
    path,
    hostFingerprint: {
      accepts: /^SHA256:[A-Za-z0-9+/]{43}$/,
      expected: "the SHA256 fingerprint of a host key, such as ssh-keygen -l prints it: SHA256: and 43 characters",
      optional: true,
    },
    knownHosts: {
      accepts: { test: isKnownHosts },
      expected: "lines of a known_hosts file, such as ssh-keyscan prints them",
      optional: true,
    },
    privateKey: {
      accepts: /^-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\r?\n[\w+/=:,\s-]+\n-----END \1PRIVATE KEY-----\s*$/,
      expected: "the text of a private key, from -----BEGIN to the end",
      isSecret: true,
    },
    privateKeyPassphrase: { ...secretLine, expected: "the passphrase of the private key", optional: true },
  },
  either: ["hostFingerprint", "knownHosts"],
};

const azure: RulesOf<AzureRepository> = {
  properties: {
    account: { accepts: /^[a-z0-9]{3,24}$/, expected: "the name of a storage account" },
    container: { accepts: /^[a-z0-9](-?[a-z0-9]){2,62}$/, expected: "the name of a container" },
    path,
    endpoint: { ...endpoint, default: "blob.core.windows.net" },
    uriStyle: { ...uriStyle, default: "host" },
    caFile,
    key: {
      accepts: /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
      expected: "a key of the storage account, in base64",
      optional: true,
      isSecret: true,
    },
    sas: {
      accepts: /^[\w.~%&=:/+,-]*\bsig=[\w.~%&=:/+,-]+$/,
      expected: "a shared access signature without a question mark, such as sv=...&sig=...",
      optional: true,
      isSecret: true,
    },
  },
  either: ["key", "sas"],
};

const gcs: RulesOf<GcsRepository> = {
  properties: {
    bucket,
    path,
    endpoint: { ...endpoint, default: "storage.googleapis.com" },
    caFile,
    key: {
      accepts: { test: isServiceAccountKey },
      expected: "the JSON text of a service account's key file",
      isSecret: true,
    },
  },
};

/** The properties of each type of repository, without `type` and `retentionDays`. */
export const repositoryRules = { volume: { properties: {} }, s3, sftp, azure, gcs } as const satisfies Readonly<
  Record<string, RepositoryRules>
>;

/** Returns true if a text has known hosts, and nothing that libssh2 does not read. */
function isKnownHosts(text: string): boolean {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return (
    lines.length > 0 && lines.every((line) => /^[^\s@]\S* (ssh|ecdsa)-[\w-]+ [A-Za-z0-9+/]+={0,2}( .*)?$/.test(line))
  );
}

function isServiceAccountKey(text: string): boolean {
  try {
    const { type, ...key } = JSON.parse(text) as Record<string, unknown>;
    const texts = ["client_email", "private_key", "token_uri"].map((name) => key[name]);
    return type === "service_account" && texts.every((each) => typeof each === "string");
  } catch {
    return false;
  }
}
