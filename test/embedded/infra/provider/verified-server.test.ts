import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { existingObjects } from "../../../../infra/provider/functions/existing-objects.ts";
import { adoption } from "../../../../infra/provider/resources/databases/adoption.ts";
import { migrations } from "../../../../infra/provider/resources/databases/migrations.ts";
import { ready } from "../../../../infra/provider/resources/servers/ready.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { type CertifiedKey, makeCa, makeServerCertificate } from "../../../../scripts/tls/certificates.ts";
import { trustedCertificates } from "../../../../scripts/tls/term.ts";
import { contextOf } from "../../../unit/infra/provider/call-context.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { startTlsServer, type TlsServer } from "../../tls-server.ts";
import { PluginProcess } from "../fallback-providers/postgresql/plugin-process.ts";
import { bringUp, connectionInputs, folderInput } from "./database-work.ts";

let authority: CertifiedKey;
let stranger: CertifiedKey;
let server: TlsServer;

/** Returns a connection with the settings of the kit's connections to servers in containers. */
const verified = (connection: Connection, ca = authority.certificate): Connection => {
  return { ...connection, sslmode: "verify-full", ca };
};

beforeAll(async () => {
  [authority, stranger] = (await Promise.all(
    ["shop dev", "shop dev"].map((commonName) => makeCa({ commonName, validityDays: 10 })),
  )) as [CertifiedKey, CertifiedKey];
  server = await startTlsServer(await makeServerCertificate(authority, { hosts: ["127.0.0.1"], validityDays: 5 }));
  await server.createDatabase("shop");
  await server.refusePlain();
});
afterAll(() => server?.stop());

const untrusted = /the server's certificate is signed by a CA that is not trusted here/;

describe("a server with a verified certificate", () => {
  it("is ready for clients that trust its CA, and fails at once for others", async () => {
    const declared = { trigger: 1, timeoutSeconds: 3_600 };
    const up = await bringUp(ready, contextOf("Ready"), {
      ...declared,
      ...connectionInputs(verified(server.connection())),
    });
    expect(up.outputs.serverVersion).toMatch(/^17\./);
    const other = connectionInputs(verified(server.connection(), stranger.certificate));
    await expect(bringUp(ready, contextOf("Ready"), { ...declared, ...other })).rejects.toThrow(untrusted);
  });

  it("lists its objects only for clients that trust its CA", async () => {
    const ask = (connection: Connection) =>
      existingObjects.call(
        { config: {}, signal: new AbortController().signal },
        { ...connectionInputs(connection), roles: ["postgres"], databases: ["shop"] },
      );
    expect(await ask(verified(server.connection()))).toMatchObject({
      known: true,
      roles: ["postgres"],
      databases: ["shop"],
      undeclared: [],
      extensions: [JSON.stringify(["shop", "plpgsql", "pg_catalog"])],
    });
    expect(await ask(verified(server.connection(), stranger.certificate))).toEqual({
      known: false,
      isDown: false,
      reason: expect.stringMatching(untrusted),
    });
  });

  it("is migrated, and the command of a hook gets the CA certificates in a file", async () => {
    const folder = await committedFolderOf([{ name: "one", body: "create table one (id int primary key);" }]);
    const command =
      `case "$GM_DBURL" in *sslmode=verify-full*sslrootcert=*) ;; *) exit 3;; esac; ` +
      `grep -c 'BEGIN CERTIFICATE' "$(printf %s "$GM_DBURL" | sed 's/.*sslrootcert=//; s,%2F,/,g')"`;
    await writeFile(join(folder.folder, ".gmrc"), JSON.stringify({ afterAllMigrations: [{ _: "command", command }] }));
    try {
      const connection = verified(server.as("migrator", "shop"));
      const declared = { ...connectionInputs(connection), folder: folderInput(folder.folder) };
      const up = await bringUp(migrations, contextOf("Migrations"), declared);
      expect(up.outputs.applied).toEqual(["000001-one.sql"]);
    } finally {
      await folder.remove();
    }
  });

  it("is reached by the postgresql provider with the CA certificates in a file", async () => {
    const folder = await committedFolderOf([]);
    const sslrootcert = join(folder.folder, "ca.pem");
    const config = { sslmode: "verify-full", sslrootcert };
    await writeFile(sslrootcert, authority.certificate);
    const plugin = await PluginProcess.start(server.connection(), config);
    try {
      const role = await plugin.create("Role", "verified", { name: "verified" });
      expect(role.id).toBe("verified");
    } finally {
      await plugin.stop();
    }
    await writeFile(sslrootcert, stranger.certificate);
    const other = await PluginProcess.start(server.connection(), config);
    try {
      await expect(other.create("Role", "unverified", { name: "unverified" })).rejects.toThrow(untrusted);
    } finally {
      await other.stop();
      await folder.remove();
    }
  });
});

describe("a change of the trusted CA certificates alone", () => {
  const news = () =>
    connectionInputs(
      verified(server.connection("shop"), trustedCertificates(stranger.certificate, authority.certificate)),
    );

  it("causes no changes in readiness, migrations and adoption", async () => {
    const inputs = connectionInputs(verified(server.connection("shop")));
    const old = (more: object) => ({ id: "one", inputs: { ...inputs, ...more }, outputs: { ...inputs, ...more } });
    const none = { changes: [] };
    expect(await ready.diff(contextOf("Ready"), old({ trigger: 1 }), { ...news(), trigger: 1 })).toEqual(none);
    const work = { folder: "migrations/shop", applied: [], pending: [] };
    expect(await migrations.diff(contextOf("Migrations"), old(work), { ...news(), ...work })).toEqual(none);
    expect(await adoption.diff(contextOf("Adoption"), old({}), news())).toEqual(none);
  });
});
