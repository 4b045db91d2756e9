import { describe, expect, it } from "vitest";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { parseSettings } from "../../../../scripts/settings/settings.ts";

function parse(backups: unknown, more: Record<string, string> = {}, isSecret = true) {
  const config = {
    "pgroundwork:server": "docker",
    "pgroundwork:databases": '["shop"]',
    "pgroundwork:seeds": "[]",
    ...(backups === undefined ? {} : { "pgroundwork:backups": JSON.stringify(backups) }),
    ...more,
  };
  const settings = parseSettings(config, {
    stack: "dev",
    databases: { shop: { seedSets: [] } },
    isSecret: () => isSecret,
  });
  return settings.server === "docker" ? settings.backups : undefined;
}

function faults(backups: unknown, more: Record<string, string> = {}, isSecret = true): string[] {
  try {
    parse(backups, more, isSecret);
  } catch (error) {
    if (error instanceof OperationError) return error.message.split("\n").slice(1);
    throw error;
  }
  return [];
}

const bucket = {
  ...{ type: "s3", endpoint: "s3.example.com:9000", region: "us-east-1", bucket: "shop", path: "/production" },
  ...{ key: "AKIA0", keySecret: "opensesame" },
};
const volume = { type: "volume", retentionDays: 30 };
const sftp = {
  ...{ type: "sftp", host: "backups.example.com", user: "u1-sub2", path: "/home/shop" },
  hostFingerprint: `SHA256:${"aB3+/".repeat(8)}xyz`,
  privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----",
};
const knownHosts =
  "# a comment\n[backups.example.com]:23 ecdsa-sha2-nistp256 AAAAE2Vj= x\n|1|a=|b= ssh-ed25519 AAAAC3Nz\n";
const azure = { type: "azure", account: "shopbackups", container: "shop-1", path: "/production", key: "YWJjZA==" };
const account = { type: "service_account", client_email: "a@b", private_key: "k", token_uri: "https://x" };
const gcs = { type: "gcs", bucket: "shop_backups", path: "/production", key: JSON.stringify(account) };

const types = "volume, s3, sftp, azure or gcs";
const samePlace = "is the same place as the first one; set another path, or use another place";

describe("the setting backups.repositories", () => {
  it("is one volume by default", () => {
    expect(parse({ retentionDays: 7 })?.repositories).toEqual([{ type: "volume", retentionDays: 7 }]);
  });

  it("accepts a bucket and a volume, each with its own retention, and lists the volume first", () => {
    const given = { repositories: [{ ...bucket, retentionDays: 90, caFile: "ca.crt" }, { type: "volume" }] };
    expect(parse(given)?.repositories).toEqual([
      volume,
      { ...bucket, uriStyle: "path", caFile: "ca.crt", retentionDays: 90 },
    ]);
  });

  it("accepts SFTP with a fingerprint or known hosts, and a port as a number or text", () => {
    expect(parse({ repositories: [sftp] })?.repositories).toEqual([{ ...sftp, port: 22, retentionDays: 30 }]);
    const { hostFingerprint: _, ...other } = { ...sftp, knownHosts, privateKeyPassphrase: "open" };
    for (const port of [23, "23"])
      expect(parse({ repositories: [{ ...other, port }] })?.repositories).toEqual([
        { ...other, port: 23, retentionDays: 30 },
      ]);
  });

  it("accepts Azure with a key or a signature, and GCS with a service account's key", () => {
    const { key, ...account } = azure;
    const defaults = { endpoint: "blob.core.windows.net", uriStyle: "host", retentionDays: 30 };
    expect(parse({ repositories: [azure, gcs] })?.repositories).toEqual([
      { ...azure, ...defaults },
      { ...gcs, endpoint: "storage.googleapis.com", retentionDays: 30 },
    ]);
    const sas = "sv=2021-08-06&ss=b&sp=rwdl&se=2027-01-01T00:00:00Z&sig=a%2Bb%3D";
    expect(parse({ repositories: [{ ...account, sas }] })?.repositories).toEqual([{ ...account, ...defaults, sas }]);
    expect(key).toBe("YWJjZA==");
  });

  it.each([
    [{ ...sftp, hostFingerprint: undefined }, "': expected either hostFingerprint or knownHosts, got none"],
    [{ ...sftp, knownHosts }, "': expected either hostFingerprint or knownHosts, got both"],
    [{ ...azure, key: undefined }, "': expected either key or sas, got none"],
    [{ ...sftp, hostFingerprint: "aa:bb" }, ".hostFingerprint': expected the SHA256 fingerprint of a host key, .*got"],
    [{ ...sftp, hostFingerprint: undefined, knownHosts: "@cert-authority * ssh-rsa A" }, ".knownHosts': expected li"],
    [{ ...sftp, hostFingerprint: undefined, knownHosts: "\n" }, ".knownHosts': expected lines of a known_hosts file"],
    [{ ...sftp, host: "backups.example.com:23" }, ".host': expected a host name, without sftp:// and without a port"],
    [{ ...sftp, port: 65_536 }, ".port': expected a port from 1 to 65535, got '65536'"],
    [{ ...sftp, user: "a b" }, ".user': expected the name of an account, got 'a b'"],
    [{ ...sftp, privateKey: "ssh-ed25519 AAAA" }, ".privateKey': expected the text of a private key, from [^,']*$"],
    [{ ...sftp, privateKeyPassphrase: "a\nb" }, ".privateKeyPassphrase': expected the passphrase of the private key$"],
    [{ ...azure, account: "Shop" }, ".account': expected the name of a storage account, got 'Shop'"],
    [{ ...azure, container: "a--b" }, ".container': expected the name of a container, got 'a--b'"],
    [{ ...azure, key: "no base64" }, ".key': expected a key of the storage account, in base64$"],
    [{ ...azure, key: undefined, sas: "?sig=a" }, ".sas': expected a shared access signature without a [^']*$"],
    [{ ...gcs, key: '{"type": "authorized_user"}' }, ".key': expected the JSON text of a service account's key file$"],
    [{ ...gcs, key: "{" }, ".key': expected the JSON text of a service account's key file$"],
  ])("refuses %j with one message", (repository, reason) => {
    expect(faults({ repositories: [repository] })).toEqual([
      expect.stringMatching(`^- Setting 'backups.repositories\\[0\\]${reason}`),
    ]);
  });

  it("reports all errors of all repositories together, and no secret", () => {
    const wrong = {
      ...bucket,
      endpoint: "https://s3.example.com",
      path: "production/",
      keySecret: "top\nrepo1-path=/",
      key: 7,
    };
    const { region: _, ...incomplete } = { ...wrong, uriStyle: "dns", regoin: "x" };
    const found = faults({
      retentionDays: 0,
      repositories: [incomplete, { type: "volume", retentionDays: 5_000, path: "/x" }],
    });
    expect(found).toEqual([
      "- Setting 'backups.retentionDays': expected a whole number of days from 1 to 3650, got '0'",
      "- Setting 'backups.repositories[0].regoin': is not a setting of the type s3; did you mean 'region'?",
      "- Setting 'backups.repositories[0].endpoint': expected a host name, with a port if needed and without https://, got 'https://s3.example.com'",
      "- Setting 'backups.repositories[0].region': is missing; expected a region, such as eu-central-1",
      "- Setting 'backups.repositories[0].path': expected an absolute path without a slash at its end, such as /shop/production, got 'production/'",
      "- Setting 'backups.repositories[0].uriStyle': expected path or host, got 'dns'",
      "- Setting 'backups.repositories[0].key': expected the access key",
      "- Setting 'backups.repositories[0].keySecret': expected the secret of the access key",
      "- Setting 'backups.repositories[1].retentionDays': expected a whole number of days from 1 to 3650, got '5000'",
      "- Setting 'backups.repositories[1].path': is not a setting of the type volume; there are: type, retentionDays",
    ]);
  });

  it.each<[unknown, string]>([
    [[], `repositories': expected a list of one or two repositories, each of the type ${types}`],
    [[volume, bucket, bucket], `repositories': expected a list of one or two repositories, each of the type ${types}`],
    [["ftp"], `repositories[0]': expected an object with the type ${types}, got the type 'ftp'`],
    ...[volume, bucket, sftp, azure, gcs].map((each): [unknown, string] => [
      [each, each],
      `repositories[1]': ${samePlace}`,
    ]),
  ])("refuses %j", (repositories, reason) => {
    expect(faults({ repositories })).toEqual([`- Setting 'backups.${reason}`]);
  });

  it("refuses keys and a passphrase that are not encrypted in the settings", () => {
    for (const [given, secret] of [
      [{ repositories: [bucket] }, "repositories[0].key"],
      [{ repositories: [{ type: "volume" }, sftp] }, "repositories[1].privateKey"],
      [{ repositories: [{ ...azure, key: undefined, sas: "sv=1&sig=a%3D" }] }, "repositories[0].sas"],
      [{ repositories: [gcs] }, "repositories[0].key"],
      [{ passphrase: "long enough, and not secret".replaceAll(" ", "-") }, "passphrase"],
    ] as const) {
      expect(faults(given)).toEqual([]);
      expect(faults(given, {}, false)).toEqual([
        `- Setting 'backups': has a passphrase, or keys of a repository, in plain text; encrypt each one: pulumi config set --stack dev --secret --path 'pgroundwork:backups.${secret}'`,
      ]);
    }
    expect(faults(true, {}, false)).toEqual([]);
  });

  it.each([bucket, sftp, azure, gcs])(
    "refuses a sidecar for drills if the first repository is of type $type",
    (each) => {
      const refused = expect.stringContaining(
        "- Setting 'backups.drill.sidecar': the drill's container has no network",
      );
      expect(faults({ drill: true, repositories: [each] })).toEqual([refused]);
      expect(faults({ drill: true, repositories: [each, volume] })).toEqual([]);
      expect(faults({ drill: { sidecar: false }, repositories: [each] })).toEqual([]);
    },
  );

  it("refuses a generation that is no whole number from 1 to 99", () => {
    for (const generation of [0, 1.5, 100, "next"])
      expect(faults({ generation })).toEqual([
        `- Setting 'backups.generation': expected a whole number from 1 to 99, got '${generation}'`,
      ]);
    expect(faults({ generation: 2 })).toEqual([]);
  });

  it("refuses a short passphrase without showing it", () => {
    expect(faults({ passphrase: "guess" })).toEqual([
      "- Setting 'backups.passphrase': expected at least 20 printable ASCII characters without spaces",
    ]);
  });
});

describe("the setting backups", () => {
  it("is off by default and if it is false", () => {
    expect(parse(undefined)).toBeUndefined();
    expect(parse(false)).toBeUndefined();
  });

  it("means a full backup a day and an incremental one every six hours, kept for 30 days", () => {
    const usual = {
      full: "0 2 * * *",
      incremental: "0 */6 * * *",
      retentionDays: 30,
      walLimitPercent: 50,
      repositories: [{ type: "volume", retentionDays: 30 }],
    };
    expect(parse(true)).toEqual(usual);
    expect(parse({})).toEqual(usual);
    expect(parse({ full: "30 3 * * sun", retentionDays: 7 })).toEqual({
      ...usual,
      full: "30 3 * * sun",
      retentionDays: 7,
      repositories: [{ type: "volume", retentionDays: 7 }],
    });
  });

  it("accepts every form of cron's five fields", () => {
    for (const full of ["* * * * *", "0,30 8-18/2 1,15 jan-mar MON-fri", "59 23 31 12 7", "*/10 0 * * 0"])
      expect(parse({ full })).toMatchObject({ full });
  });

  it("reports all of its errors together", () => {
    const given = { full: "0 25 * * *", incremental: "hourly", retentionDays: 0, walLimitPercent: 101, fulll: "x" };
    expect(faults(given)).toEqual([
      "- Setting 'backups.full': '0 25 * * *' is not a schedule: its hour is '25'",
      "- Setting 'backups.incremental': 'hourly' is not a schedule: it has 1 fields instead of 5 (minute, hour, day, month, weekday)",
      "- Setting 'backups.retentionDays': expected a whole number of days from 1 to 3650, got '0'",
      "- Setting 'backups.walLimitPercent': expected a whole number from 1 to 100, got '101'",
      "- Setting 'backups.fulll': is not a setting; did you mean 'full'?",
    ]);
  });

  it.each([
    "60 * * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "1/5 * * * *",
    "a * * * *",
    "1- * * * *",
  ])("refuses the schedule %s", (full) => expect(faults({ full })).toHaveLength(1));

  it("plans no drill unless one is asked for, and then one each month", () => {
    const monthly = { schedule: "0 3 1 * *", maxAgeSeconds: 62 * 86_400, checks: true, required: false, sidecar: true };
    expect(parse({ drill: false })).not.toHaveProperty("drill");
    expect(parse({ drill: true })?.drill).toEqual(monthly);
    const weekly = { schedule: "0 3 * * sun", maxAge: "10d", checks: false, required: "true", sidecar: false };
    expect(parse({ drill: weekly })?.drill).toEqual({
      ...{ schedule: "0 3 * * sun", maxAgeSeconds: 864_000, checks: false, required: true, sidecar: false },
    });
  });

  it("accepts objectives as durations", () => {
    expect(parse({ objectives: { rto: "90s", rpo: "24h" } })?.objectives).toEqual({
      ...{ rtoSeconds: 90, rpoSeconds: 86_400 },
    });
    expect(parse({ objectives: { rpo: "30m" } })?.objectives).toEqual({ rpoSeconds: 1_800 });
  });

  it("reports all errors of drills and objectives together", () => {
    const drill = { schedule: "monthly", maxAge: 40, check: true, required: "yes" };
    expect(faults({ drill, objectives: { rto: "1 hour", rpo: "0d", rtos: "1h" } })).toEqual([
      "- Setting 'backups.drill.check': is not a setting; did you mean 'checks'?",
      "- Setting 'backups.drill.schedule': 'monthly' is not a schedule: it has 1 fields instead of 5 (minute, hour, day, month, weekday)",
      "- Setting 'backups.drill.maxAge': expected a duration such as 90s, 30m, 24h or 45d, got '40'",
      "- Setting 'backups.drill.required': expected true or false, got 'yes'",
      "- Setting 'backups.objectives.rtos': is not a setting; did you mean 'rto'?",
      "- Setting 'backups.objectives.rto': expected a duration such as 90s, 30m, 24h or 45d, got '1 hour'",
      "- Setting 'backups.objectives.rpo': expected a duration such as 90s, 30m, 24h or 45d, got '0d'",
    ]);
    expect(faults({ drill: "monthly", objectives: true })).toEqual([
      "- Setting 'backups.drill': expected true, false or an object, got 'monthly'",
      "- Setting 'backups.objectives': expected an object with rto and rpo, got 'true'",
    ]);
  });

  it("refuses a drill that would be overdue by plan, or that never comes", () => {
    expect(faults({ drill: { schedule: "0 3 1 * *", maxAge: "30d" } })).toEqual([
      "- Setting 'backups.drill.maxAge': 30d is shorter than the schedule's longest interval, 31d",
    ]);
    expect(parse({ drill: { schedule: "0 3 1 * *", maxAge: "31d" } })?.drill?.maxAgeSeconds).toBe(31 * 86_400);
    expect(faults({ drill: { schedule: "0 3 30 2 *" } })).toEqual([
      "- Setting 'backups.drill.schedule': '0 3 30 2 *' never occurs twice",
    ]);
  });

  it("refuses a value that is not true, false or an object", () => {
    expect(faults("daily")).toEqual([
      "- Setting 'backups': expected true, false or an object with full and incremental (schedules), retentionDays, walLimitPercent, repositories, passphrase, generation, dumps, drill and objectives, got '\"daily\"'",
    ]);
  });

  it("refuses settings of the server that prevent backups", () => {
    const postgresql = JSON.stringify({ archive_mode: "off", wal_level: "minimal" });
    expect(faults(true, { "pgroundwork:postgresql": postgresql })).toEqual([
      "- Setting 'postgresql.archive_mode': is set by the kit if backups are enabled; set 'backups' to false to archive in another way",
      "- Setting 'postgresql.wal_level': 'minimal' does not allow WAL archiving, which 'backups' needs",
    ]);
    expect(faults(false, { "pgroundwork:postgresql": postgresql })).toEqual([]);
  });

  it.each(["archive_mode", "archive_command", "archive_library"])("excludes the setting postgresql.%s", (name) => {
    const postgresql = JSON.stringify({ [name]: "anything" });
    expect(faults(true, { "pgroundwork:postgresql": postgresql })).toEqual([
      `- Setting 'postgresql.${name}': is set by the kit if backups are enabled; set 'backups' to false to archive in another way`,
    ]);
  });
});

describe("the setting backups.dumps", () => {
  const key = `age1${"q".repeat(58)}`;

  it("is off by default, and daily for 30 days if it is true", () => {
    expect(parse(true)).not.toHaveProperty("dumps");
    const dumps = { schedule: "0 6 * * *", retentionDays: 30, recipients: [], isPlain: false };
    expect(parse({ dumps: true })?.dumps).toEqual(dumps);
    const given = { schedule: "0 * * * *", retentionDays: 7, recipients: [key] };
    expect(parse({ dumps: given })?.dumps).toEqual({ ...given, isPlain: false });
  });

  it("reports all errors together", () => {
    const dumps = { schedule: "0 0 30 2 *", retentionDays: 0, recipients: ["AGE-SECRET-KEY-1"], retentionDay: 3 };
    expect(faults({ dumps })).toEqual([
      "- Setting 'backups.dumps.schedule': '0 0 30 2 *' never occurs twice",
      expect.stringContaining("- Setting 'backups.dumps.retentionDays': expected a whole number of days"),
      expect.stringContaining("- Setting 'backups.dumps.recipients': expected a list of public keys of age"),
      "- Setting 'backups.dumps.retentionDay': is not a setting; did you mean 'retentionDays'?",
    ]);
    expect(faults({ dumps: { encrypt: true } })).toEqual(["- Setting 'backups.dumps.encrypt': needs recipients"]);
    expect(faults({ dumps: { encrypt: false, recipients: [key] } })).toEqual([
      "- Setting 'backups.dumps.encrypt': false and recipients exclude each other",
    ]);
  });

  it("has dumps without rows with the schedule and retention of the full ones, unless they have their own", () => {
    const weekly = { schedule: "0 6 * * 0", retentionDays: 365 };
    const full = { schedule: "0 4 * * *", retentionDays: 7 };
    expect(parse({ dumps: { schemaOnly: false } })?.dumps).not.toHaveProperty("schemaOnly");
    expect(parse({ dumps: { schemaOnly: true, ...full } })?.dumps).toMatchObject({ ...full, schemaOnly: full });
    expect(parse({ dumps: { ...full, schemaOnly: weekly } })?.dumps).toMatchObject({ ...full, schemaOnly: weekly });
    expect(faults({ dumps: { schemaOnly: { schedule: "daily", retentionDays: 0, recipients: [key] } } })).toEqual([
      expect.stringContaining("- Setting 'backups.dumps.schemaOnly.recipients': is not a setting"),
      expect.stringContaining("- Setting 'backups.dumps.schemaOnly.schedule': 'daily' is not a schedule"),
      expect.stringContaining("- Setting 'backups.dumps.schemaOnly.retentionDays': expected a whole number of days"),
    ]);
    expect(faults({ dumps: { schemaOnly: "yes" } })).toEqual([
      "- Setting 'backups.dumps.schemaOnly': expected true, false or an object, got '\"yes\"'",
    ]);
  });

  it("is all that the setting backups has on a server that is not in a container", () => {
    const elsewhere = { "pgroundwork:server": "embedded" };
    const archiving = { ...elsewhere, "pgroundwork:postgresql": JSON.stringify({ archive_mode: "on" }) };
    expect(faults({ dumps: true }, archiving)).toEqual([]);
    const needs = "needs a server in a container; another server can have only dumps: {dumps: true}";
    expect(faults(true, elsewhere)).toEqual([`- Setting 'backups': ${needs}`]);
    expect(faults({ dumps: { schedul: "" }, drill: true, dmups: true }, elsewhere)).toEqual([
      `- Setting 'backups.drill': ${needs}`,
      "- Setting 'backups.dmups': is not a setting; another server can have only dumps: {dumps: true}",
      expect.stringContaining("- Setting 'backups.dumps.schedul': is not a setting; did you mean 'schedule'?"),
    ]);
    expect(faults(false, elsewhere)).toEqual([]);
    expect(faults({}, elsewhere)).toEqual([]);
    expect(faults({ dumps: true }, { ...elsewhere, "pgroundwork:protected": "true" })).toEqual([
      expect.stringContaining("- Setting 'backups.dumps': has no recipients, and 'protected' is true"),
    ]);
  });

  it("needs recipients on a protected stack, or the decision not to encrypt", () => {
    const isProtected = { "pgroundwork:protected": "true" };
    expect(faults({ dumps: true }, isProtected)).toEqual([
      expect.stringContaining("- Setting 'backups.dumps': has no recipients, and 'protected' is true"),
    ]);
    expect(faults({ dumps: { encrypt: false } }, isProtected)).toEqual([]);
    expect(faults({ dumps: { recipients: [key] } }, isProtected)).toEqual([]);
  });
});
