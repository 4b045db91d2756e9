import type Docker from "dockerode";
import { beforeAll, describe, expect, it } from "vitest";
import { dockerObjects } from "../../../docker-objects.ts";
import {
  configurationFolder,
  filledVolume,
  leastConfiguration,
  shell,
  sql,
  startPostgres,
} from "../../../postgres-container.ts";
import { postgresImage } from "../../../postgres-image.ts";

const folders = [
  { folder: "/var/lib/postgresql", mode: "700" },
  { folder: "/etc/pgroundwork", mode: "700" },
  { folder: "/var/run/postgresql", mode: "755" },
  { folder: "/var/lib/pgbackrest", mode: "700" },
  { folder: "/var/spool/pgbackrest", mode: "700" },
  { folder: "/var/log/pgbackrest", mode: "700" },
  { folder: "/var/lib/pgroundwork/log", mode: "755" },
];

describe("the PostgreSQL image", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let image: string;
  let server: Docker.Container;
  beforeAll(async () => {
    image = await postgresImage();
    const configuration = await filledVolume(objects, image, configurationFolder, {
      ...leastConfiguration,
      "postgresql.conf": "shared_preload_libraries = 'pg_cron, pgaudit, pg_stat_statements'\njit = on\n",
    });
    server = await startPostgres(objects, {
      image,
      configuration,
      data: objects.name("data"),
    });
  });

  it("runs every process as postgres, user and group 999", async () => {
    expect(await shell(docker, server, "cat /proc/[0-9]*/status | grep -E '^[UG]id:' | tr '\\t' ' ' | sort -u")).toBe(
      "Gid: 999 999 999 999\nUid: 999 999 999 999",
    );
  });

  it("makes clusters with checksums, UTF-8 and ICU; pg_hba accepts peer on the socket, or passwords", async () => {
    const query =
      "select current_setting('data_checksums'), pg_encoding_to_char(encoding), datlocprovider, datlocale, datcollate from pg_database where datname = 'postgres'";
    expect(await sql(docker, server, query)).toBe("on|UTF8|i|und|C.UTF-8");
    const rules = "grep -v '^#' /var/lib/postgresql/17/data/pg_hba.conf | awk 'NF { print $1, $NF }' | sort -u";
    expect(await shell(docker, server, rules)).toBe("host scram-sha-256\nlocal peer");
    expect(await sql(docker, server, "select rolpassword is null from pg_authid where rolname = 'postgres'")).toBe("t");
  });

  it("has the extensions that databases may request, including those of contrib", async () => {
    await sql(
      docker,
      server,
      ["pg_cron", "pg_partman", "pgaudit", "vector", "pg_stat_statements", "pgcrypto", "pg_trgm", "postgres_fdw"]
        .map((name) => `create extension ${name};`)
        .join("\n"),
    );
    expect(await sql(docker, server, "select '[1,2,3]'::vector <-> '[1,2,4]'")).toBe("1");
    const unavailable = "select count(*) from pg_available_extensions where name like 'postgis%'";
    expect(await sql(docker, server, unavailable)).toBe("0");
  });

  it("can create every extension that it offers", async () => {
    await sql(docker, server, "create database everything");
    const all = await sql(
      docker,
      server,
      "select string_agg(quote_ident(name), ' ' order by name) from pg_available_extensions where name <> 'pg_cron'",
    );
    const make = all.split(" ").map((name) => `create extension if not exists ${name} cascade;`);
    await sql(docker, server, `\\c everything\n${make.join("\n")}`);
    expect(all.split(" ").length).toBeGreaterThan(45);
  });

  it("has the locales of the C library and of ICU", async () => {
    await sql(docker, server, "create database american locale_provider libc locale 'en_US.UTF-8' template template0");
    await sql(docker, server, "create database german locale_provider icu icu_locale 'de-DE' template template0");
    expect(await shell(docker, server, "locale -a | sort | tr '\\n' ' '")).toBe("C C.utf8 POSIX en_US.utf8");
  });

  it("does not compile queries, and needs no setting for that", async () => {
    expect(await sql(docker, server, "select current_setting('jit'), pg_jit_available()")).toBe("on|f");
    expect(await sql(docker, server, "set jit_above_cost = 0; select sum(n) from generate_series(1, 100000) n")).toBe(
      "5000050000",
    );
  });

  it("has pgBackRest", async () => {
    expect(await shell(docker, server, "pgbackrest version")).toMatch(/^pgBackRest 2\.\d+/);
  });

  it("makes postgres the owner of fresh volumes", async () => {
    const container = await docker.createContainer({
      name: objects.name("volumes"),
      Image: image,
      Cmd: ["sleep", "600"],
      HostConfig: {
        Init: true,
        Mounts: folders.map(({ folder }) => ({ Type: "volume", Source: objects.name("fresh"), Target: folder })),
      },
    });
    await container.start();
    const states = await shell(
      docker,
      container,
      `stat -c '%n %U:%G %a' ${folders.map(({ folder }) => folder).join(" ")}`,
    );
    expect(states.split("\n")).toEqual(folders.map(({ folder, mode }) => `${folder} postgres:postgres ${mode}`));
    expect(await shell(docker, container, "ls -A /var/lib/postgresql")).toBe("");
  });

  it("contains no private key, password or cluster", async () => {
    const keys =
      "grep -rlE --include='*' -e '-----BEGIN [A-Z ]*PRIVATE KEY' /etc /var/lib /usr/local /home /root 2>/dev/null || true";
    const container = await docker.createContainer({
      name: objects.name("search"),
      Image: image,
      User: "root",
      Entrypoint: ["sh", "-c", `${keys}; find / -xdev -name PG_VERSION; find /etc/ssl/private -type f`],
      Tty: true,
    });
    await container.start();
    await container.wait();
    expect((await container.logs({ stdout: true, stderr: true, follow: false })).toString()).toBe("");
    const history = (await docker.getImage(image).history()) as { CreatedBy: string }[];
    const { Config } = await docker.getImage(image).inspect();
    const words = `${history.map(({ CreatedBy }) => CreatedBy).join("\n")}\n${JSON.stringify(Config)}`;
    expect(words).not.toMatch(/password|secret|PRIVATE/i);
  });
});
