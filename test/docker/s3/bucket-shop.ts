import { readFile } from "node:fs/promises";
import { type BackedUpShop, makeBackedUpShop, never } from "../backed-up-shop.ts";
import type { S3Server } from "./s3-server.ts";

/** Bucket of the tests, and the folder in it. */
export const bucket = "backups";
export const folder = "/shop/tests";

/** File in the project directory with the CA of the bucket. */
export const caFile = "bucket-ca.pem";

/** Returns a bucket as a stack's settings have it, without its keys. */
function bucketSettings({ endpoint }: S3Server): Record<string, unknown> {
  return { type: "s3", endpoint, region: "us-east-1", bucket, path: folder, caFile };
}

/** Makes a stack whose backups are in a bucket. It is not brought up. */
export async function makeBucketShop(s3: S3Server): Promise<BackedUpShop> {
  const repositories = [bucketSettings(s3)];
  const shop = await makeBackedUpShop({ backups: { full: never, incremental: never, repositories } });
  await shop.clone.write(caFile, await readFile(s3.caFile, "utf8"));
  await setKeys(shop, s3, 0);
  return shop;
}

/** Sets the keys of the bucket, encrypted. */
async function setKeys(shop: BackedUpShop, { key, keySecret }: S3Server, index: number): Promise<void> {
  for (const [name, value] of Object.entries({ key, keySecret }))
    await setSecret(shop, `backups.repositories[${index}].${name}`, value);
}

/** Adds a repository in a volume to the settings of a stack. It becomes the first one, and the bucket the second. */
export async function addVolume({ clone, stack }: BackedUpShop): Promise<void> {
  const { code, stderr } = await clone.shell(
    `eval "$(node_modules/.bin/node scripts/pgw.mjs engine env --stack ${stack})" &&
     pulumi config set --stack ${stack} --path 'pgroundwork:backups.repositories[1].type' volume`,
  );
  if (code !== 0) throw new Error(`the repository could not be added: ${stderr}`);
}

/** Makes pgBackRest give up on the second repository, a bucket that does not answer, after 10 s instead of 50 s. */
export async function shortenTimeouts({ clone, prefix, inspected }: BackedUpShop): Promise<void> {
  const { Image: image } = await inspected();
  const { code, stderr } = await clone.shell(
    `docker run --rm --user 0 --entrypoint sed --volume ${prefix}-config:/configuration ${image} \\
       -i 's/^io-timeout=5$/io-timeout=1/; s/^archive-timeout=10$/archive-timeout=2/' /configuration/pgbackrest-2.conf`,
  );
  if (code !== 0) throw new Error(`the timeouts could not be changed: ${stderr}`);
}

/** Sets an encrypted value inside a setting of a stack. */
export async function setSecret({ clone, stack }: BackedUpShop, path: string, value: string): Promise<void> {
  const { code, stderr } = await clone.shell(
    `eval "$(node_modules/.bin/node scripts/pgw.mjs engine env --stack ${stack})" && (pulumi stack init ${stack} || true) &&
     printf %s '${value}' | pulumi config set --stack ${stack} --secret --path 'pgroundwork:${path}'`,
  );
  if (code !== 0) throw new Error(`the secret ${path} could not be set: ${stderr}`);
}
