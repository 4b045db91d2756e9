import type Docker from "dockerode";
import pg from "pg";
import { scramVerifier } from "../../connection/scram.ts";
import { superuser } from "../../server/cluster.ts";
import { executeInContainer } from "./query.ts";

/**
 * Sets the superuser's password on a running server, whatever it was. The password is sent over the socket as a SCRAM
 * verifier, through psql's standard input.
 */
export async function setSuperuserPassword(docker: Docker, container: string, password: string): Promise<void> {
  const verifier = pg.escapeLiteral(await scramVerifier(password));
  await executeInContainer(docker, container, `alter role ${pg.escapeIdentifier(superuser)} password ${verifier}`);
}
