// Puts the parts together when VS Code starts the extension. The server decides; this only asks and shows.

import * as vscode from "vscode";
import { Bar } from "./bar";
import { Connection } from "./client";
import * as documents from "./documents";
import * as environment from "./environment";
import * as example from "./example";
import type { Argument } from "./outcome";
import * as response from "./response";
import { Runs } from "./run";
import { ignored } from "./server";
import * as signIn from "./sign_in";
import { told } from "./text";
import { Vaults } from "./vaults";
import { carryOut } from "./verb";

let connection: Connection | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("vaultls", { log: true });
  const server = new Connection(context, output, (command, argument) => execute(command, argument));
  const vaults = new Vaults(server);
  const bar = new Bar(vaults.item);
  const runs = new Runs(server, bar);
  connection = server;
  const lenses = vscode.languages.registerCodeLensProvider({ scheme: documents.SCHEME }, response.lenses);
  const parts = [output, bar, vaults, server, documents.register(), lenses];
  const adding = vscode.commands.registerCommand("vaultls.addIntegration", () => execute("vaultls.addIntegration", {}));
  context.subscriptions.push(...parts, adding, ...signIn.register(), ...commands(context, server, runs, bar));
  context.subscriptions.push(vscode.workspace.onDidChangeConfiguration((event) => follow(event, context, server, bar)));
  bar.showEnvironment(environment.current(context));
  await tellIgnored(context, output);
  await server.restart();
  vaults.follow();

  async function execute(command: string, argument: Argument): Promise<void> {
    // Lenses and actions come here too, past the `enablement` of the palette.
    if (!vscode.workspace.isTrusted && command !== "vaultls.status") {
      return refuse();
    }
    try {
      if (command === "vaultls.run") {
        await runs.start(argument, environment.current(context));
      } else {
        await carryOut(server, command, argument);
        vaults.follow();
      }
    } catch (error) {
      void vscode.window.showErrorMessage(told(error instanceof Error ? error.message : String(error)));
    }
  }
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** The commands that are not the server's; those the client registers by itself. */
function commands(
  context: vscode.ExtensionContext,
  server: Connection,
  runs: Runs,
  bar: Bar,
): vscode.Disposable[] {
  const chooseEnvironment = async (): Promise<void> => {
    if (await environment.choose(context)) {
      await tell(context, server, bar);
    }
  };
  const actions: Record<string, (argument?: unknown) => unknown> = {
    "vaultls.cancel": () => runs.cancel(),
    "vaultls.chooseEnvironment": chooseEnvironment,
    "vaultls.openExample": () => example.open(context),
    "vaultls.showResponse": () => response.choose(),
    "vaultls.showHeaders": (uri) => response.showHeaders(uri),
    "vaultls.showBody": (uri) => response.showBody(uri),
    "vaultls.restart": () => server.restart(),
    "vaultls.showOutput": () => server.output.show(),
  };
  return Object.entries(actions).map(([id, action]) => vscode.commands.registerCommand(id, action));
}

/** Tells of settings that the workspace brought along and that only the person may make. */
async function tellIgnored(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<void> {
  const { properties } = context.extension.packageJSON.contributes.configuration as Contributed;
  const personal = Object.keys(properties).filter((name) => properties[name]?.scope === "machine");
  const names = await ignored(personal);
  if (names.length > 0) {
    const message = `this workspace's settings are ignored, because only your own count: ${names.join(", ")}`;
    output.warn(message);
    void vscode.window.showWarningMessage(`vaultls: ${message}`);
  }
}

interface Contributed {
  properties: Record<string, { scope?: string }>;
}

async function follow(
  event: vscode.ConfigurationChangeEvent,
  context: vscode.ExtensionContext,
  server: Connection,
  bar: Bar,
): Promise<void> {
  if (event.affectsConfiguration("vaultls.server.path")) {
    await server.restart();
  }
  if (event.affectsConfiguration("vaultls.environment")) {
    await environment.forget(context);
    await tell(context, server, bar);
  }
}

async function tell(context: vscode.ExtensionContext, server: Connection, bar: Bar): Promise<void> {
  bar.showEnvironment(environment.current(context));
  await server.tellEnvironment();
}

/** Says why nothing is done in Restricted Mode. */
async function refuse(): Promise<void> {
  const manage = "Manage Workspace Trust";
  const message = "vaultls: this workspace is in Restricted Mode, so nothing is sent, asked for, or changed.";
  if ((await vscode.window.showWarningMessage(message, manage)) !== undefined) {
    await vscode.commands.executeCommand("workbench.trust.manage");
  }
}
