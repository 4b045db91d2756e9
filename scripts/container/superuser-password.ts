import type Docker from "dockerode";
import pg from "pg";
import { superuser } from "../server/cluster.ts";
import { scramVerifier } from "../target/scram.ts";
import { executeInContainer } from "./query.ts";

/** Sets the superuser's password on a running server, whatever it was: over the socket, as a verifier, through psql's input. */
export async function setSuperuserPassword(docker: Docker, container: string, password: string): Promise<void> {
  const verifier = pg.escapeLiteral(await scramVerifier(password));
  await executeInContainer(docker, container, `alter role ${pg.escapeIdentifier(superuser)} password ${verifier}`);
}
