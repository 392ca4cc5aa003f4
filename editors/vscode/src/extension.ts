// Puts the parts together when VS Code starts the extension. The server decides; this only asks and shows.

import * as vscode from "vscode";
import { Bar } from "./bar";
import { Connection } from "./client";
import * as context from "./context";
import * as documents from "./documents";
import * as environment from "./environment";
import * as example from "./example";
import type { Argument } from "./outcome";
import * as response from "./response";
import { Runs } from "./run";
import { personal, tellIgnored } from "./settings";
import * as signIn from "./sign_in";
import { told } from "./text";
import { Vaults } from "./vaults";
import { carryOut } from "./verb";

let connection: Connection | undefined;

export async function activate(extension: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("vaultls", { log: true });
  const server = new Connection(extension, output, execute);
  connection = server;
  const vaults = new Vaults(server);
  const bar = new Bar(vaults.item);
  const runs = new Runs(server, bar);
  extension.subscriptions.push(output, bar, vaults, server, documents.register(), response.register(), ...signIn.register());

  /** Carries out a command from wherever it comes; what goes wrong is told. */
  async function execute(command: string, argument: Argument): Promise<void> {
    // Lenses and actions come here too, past the `enablement` of the palette.
    if (!vscode.workspace.isTrusted && command !== "vaultls.status") {
      return refuse();
    }
    try {
      if (command === "vaultls.run") {
        await runs.start(argument, environment.current(extension));
      } else {
        await carryOut(server, command, argument);
      }
    } catch (error) {
      void vscode.window.showErrorMessage(told(error instanceof Error ? error.message : String(error)));
    }
    vaults.follow();
  }

  /** Shows the environment, and tells it to the server. */
  async function tellEnvironment(): Promise<void> {
    bar.showEnvironment(environment.current(extension));
    await server.tellEnvironment();
  }

  async function chooseEnvironment(): Promise<void> {
    if (await environment.choose(extension, server)) {
      await tellEnvironment();
    }
  }

  let program = personal("server.path");

  async function follow(event: vscode.ConfigurationChangeEvent): Promise<void> {
    // The event also tells of a workspace's own setting, which does not count.
    if (personal("server.path") !== program) {
      program = personal("server.path");
      await server.restart();
    }
    if (event.affectsConfiguration("vaultls.environment")) {
      await environment.forget(extension);
      await tellEnvironment();
    }
  }

  /** The commands that are not the server's; those the client registers by itself. */
  const actions: Record<string, (argument?: unknown) => unknown> = {
    "vaultls.cancel": () => runs.cancel(),
    "vaultls.chooseEnvironment": chooseEnvironment,
    "vaultls.openExample": () => example.open(extension),
    "vaultls.addIntegration": () => execute("vaultls.addIntegration", {}),
    "vaultls.showResponse": () => response.choose(),
    "vaultls.showHeaders": (uri) => response.showHeaders(uri),
    "vaultls.showBody": (uri) => response.showBody(uri),
    "vaultls.restart": () => server.restart(),
    "vaultls.showOutput": () => output.show(),
  };
  extension.subscriptions.push(
    ...Object.entries(actions).map(([id, action]) => vscode.commands.registerCommand(id, action)),
    vscode.workspace.onDidChangeConfiguration(follow),
    // What the server refuses, it refuses until it ends.
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart()),
  );
  bar.showEnvironment(environment.current(extension));
  await Promise.all([context.set({ active: true }), tellIgnored(extension.extension, output), server.restart()]);
  vaults.follow();
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** Says why nothing is done in Restricted Mode. */
async function refuse(): Promise<void> {
  const manage = "Manage Workspace Trust";
  const message = "vaultls: this workspace is in Restricted Mode, so nothing is sent, asked for, or changed.";
  if ((await vscode.window.showWarningMessage(message, manage)) !== undefined) {
    await vscode.commands.executeCommand("workbench.trust.manage");
  }
}
