// Puts the parts together when VS Code starts the extension. The server decides; this only asks and shows.

import * as vscode from "vscode";
import { Bar } from "./bar";
import { Connection } from "./client";
import * as documents from "./documents";
import * as environment from "./environment";
import type { Argument } from "./outcome";
import * as response from "./response";
import { Runs } from "./run";
import { clean } from "./text";
import { carryOut } from "./verb";

let connection: Connection | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("vaultls", { log: true });
  const bar = new Bar();
  const server = new Connection(context, output, (command, argument) => execute(command, argument));
  const runs = new Runs(server, bar);
  connection = server;
  context.subscriptions.push(output, bar, server, documents.register(), ...commands(context, server, runs, bar));
  context.subscriptions.push(vscode.workspace.onDidChangeConfiguration((event) => follow(event, context, server, bar)));
  bar.showEnvironment(environment.current(context));
  await server.restart();

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
      }
    } catch (error) {
      void vscode.window.showErrorMessage(`vaultls: ${clean(error instanceof Error ? error.message : String(error))}`);
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
  const actions: Record<string, () => unknown> = {
    "vaultls.cancel": () => runs.cancel(),
    "vaultls.chooseEnvironment": chooseEnvironment,
    "vaultls.showResponse": () => response.choose(),
    "vaultls.showHeaders": () => response.showHeaders(),
    "vaultls.restart": () => server.restart(),
    "vaultls.showOutput": () => server.output.show(),
  };
  return Object.entries(actions).map(([id, action]) => vscode.commands.registerCommand(id, action));
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
