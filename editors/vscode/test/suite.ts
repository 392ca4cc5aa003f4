// The entry of the tests that run inside the extension host: the environment says which.

import { report, required } from "./harness";
import { tests as restricted } from "./restricted";
import { tests as trusted } from "./trusted";

export async function run(): Promise<void> {
  await report(required("VAULTLS_TEST_SUITE") === "restricted" ? restricted : trusted);
}
