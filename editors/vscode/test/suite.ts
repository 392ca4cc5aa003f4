// The entry of the tests that run inside the extension host: the environment says which.

import { tests as dialogues } from "./dialogues";
import { record, report, required, type Test } from "./harness";
import { tests as restricted } from "./restricted";
import { tests as trusted } from "./trusted";

const SUITES: Record<string, Test[]> = { dialogues, restricted, trusted };

export async function run(): Promise<void> {
  record();
  await report(SUITES[required("VAULTLS_TEST_SUITE")] ?? []);
}
