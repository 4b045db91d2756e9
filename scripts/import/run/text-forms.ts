import type { Client } from "pg";

/** Sets everything that the text of a value depends on. */
export async function fixTextForms(client: Client): Promise<void> {
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex';
     set extra_float_digits = 1; set lc_monetary = 'C'; set client_encoding = 'UTF8'; set xmloption = 'content'`,
  );
}
