// Runs one suite inside the extension host and prints its report: `node drive.mjs CODE FOLDER SUITE`, with the folder
// of the pinned VS Code and the folder that is the whole world of this run.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBrowser, startServer } from "./editor.mjs";

const PATIENCE_MS = 900_000;
const [code, folder, suite] = process.argv.slice(2);
const extension = dirname(dirname(fileURLToPath(import.meta.url)));

const workspace = join(folder, "workspace");
const report = join(folder, "report.tap");
mkdirSync(workspace, { recursive: true });
Object.assign(process.env, { VAULTLS_TEST_REPORT: report, VAULTLS_TEST_SUITE: suite });

const trust = suite === "restricted" ? [] : ["--disable-workspace-trust"];
const server = await startServer(code, folder, ["--enable-smoke-test-driver", ...trust]);
const payload = [
  ["extensionDevelopmentPath", extension],
  ["extensionTestsPath", join(extension, "dist-test/suite.js")],
];
const { context, page } = await openBrowser(server.port, folder, workspace, payload);
const messages = [];
page.on("console", (message) => messages.push(message.text().slice(0, 200)));

const end = Date.now() + PATIENCE_MS;
while (!existsSync(report) && Date.now() < end) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await context.close();
server.stop();
if (!existsSync(report)) {
  console.error(`no report came in time\n${messages.slice(-30).join("\n")}`);
  process.exit(1);
}
process.stdout.write(readFileSync(report, "utf8"));
process.exit(0);
