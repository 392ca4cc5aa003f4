// The entry of the tests that run inside the extension host: the environment says which.

import { tests as dialogues } from "./dialogues";
import { record, report, required, type Test } from "./harness";
import { tests as layouts } from "./layouts";
import { tests as programs } from "./programs";
import { tests as responses } from "./responses";
import { tests as restricted } from "./restricted";
import { tests as settings } from "./settings";
import { last, tests as trusted } from "./trusted";

const SUITES: Record<string, Test[]> = {
  dialogues: [...programs, ...layouts, ...dialogues],
  restricted,
  trusted: [...trusted, ...responses, ...settings, ...last],
};

export async function run(): Promise<void> {
  record();
  await report(SUITES[required("VAULTLS_TEST_SUITE")] ?? []);
}
