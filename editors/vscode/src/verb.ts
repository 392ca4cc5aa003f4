// The commands of the server apart from `run`: each completes its argument by asking the user, sends it, and follows
// up what the server answers. All of them tell whether the matter is settled.

import * as vscode from "vscode";
import * as ask from "./ask";
import type { Connection } from "./client";
import * as documents from "./documents";
import { askLink, chooseIntegration } from "./link";
import type { Argument, Integration, Outcome, Pending, Status } from "./outcome";
import * as overview from "./overview";
import { clean } from "./text";

type Verb = (connection: Connection, argument: Argument) => Promise<boolean>;

const REFERENCE = /(<<|\{\{)\s*vault:\s*([^<>{}]*?)\s*(>>|\}\})/;
const TRUST = "Trust These Definitions";

/** By the id of the command; `vaultls.run` has a file of its own. */
const VERBS: Record<string, Verb> = {
  "vaultls.allowHost": send("vaultls.allowHost"),
  "vaultls.create": sendWithName("vaultls.create"),
  "vaultls.enable": sendWithName("vaultls.enable"),
  "vaultls.link": link,
  "vaultls.unlock": (connection) => send("vaultls.unlock")(connection, {}),
  "vaultls.login": login,
  "vaultls.trust": send("vaultls.trust"),
  "vaultls.status": send("vaultls.status"),
  "vaultls.resetCache": send("vaultls.resetCache"),
  "vaultls.extract": send("vaultls.extract"),
  "vaultls.copyCurl": copyCurl,
};

/** Carries a command out, with the active document where the command is about one and names none. */
export async function carryOut(connection: Connection, command: string, argument: Argument): Promise<boolean> {
  const verb = VERBS[command];
  if (!verb) {
    throw new Error(`there is no command ${command}`);
  }
  const uri = activeUri();
  const complete = uri !== undefined && command !== "vaultls.unlock" ? { uri, ...argument } : { ...argument };
  return verb(connection, complete);
}

/** The active document, as the server names it. */
export function activeUri(): string | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.uri.scheme === "file" ? document.uri.toString() : undefined;
}

/** The status of the workspace that `uri` lies in. */
export async function status(connection: Connection, uri: unknown): Promise<Status | undefined> {
  const outcome = await connection.call("vaultls.status", uri === undefined ? {} : { uri });
  return outcome.outcome === "status" ? outcome : undefined;
}

function send(command: string): Verb {
  return async (connection, argument) => settle(connection, argument, await connection.call(command, argument));
}

function sendWithName(command: string): Verb {
  return async (connection, argument) => {
    const name = argument.name ?? (await askName());
    return name !== undefined && send(command)(connection, { ...argument, name });
  };
}

/** The request that was named, else the one at the cursor. */
function copyCurl(connection: Connection, argument: Argument): Promise<boolean> {
  const line = vscode.window.activeTextEditor?.selection.active.line;
  const named = argument.request !== undefined || argument.line !== undefined || line === undefined;
  return send("vaultls.copyCurl")(connection, named ? argument : { ...argument, line });
}

async function link(connection: Connection, argument: Argument): Promise<boolean> {
  const name = argument.name ?? (await askName());
  if (name === undefined) {
    return false;
  }
  const integration = argument.link === undefined ? await integrationOf(connection, argument) : undefined;
  const target = argument.link ?? (integration && (await askLink(integration)));
  return target !== undefined && send("vaultls.link")(connection, { ...argument, name, link: target });
}

async function login(connection: Connection, argument: Argument): Promise<boolean> {
  const integration = argument.integration ?? (await integrationOf(connection, argument))?.name;
  return integration !== undefined && send("vaultls.login")(connection, { ...argument, integration });
}

async function integrationOf(connection: Connection, argument: Argument): Promise<Integration | undefined> {
  const known = await status(connection, argument.uri);
  return chooseIntegration(known?.integrations ?? []);
}

function askName(): Promise<string | undefined> {
  return ask.text("Name of the secret", nameAtCursor());
}

/** The name of the secret under the cursor, if it is on a reference. */
function nameAtCursor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  const range = editor?.document.getWordRangeAtPosition(editor.selection.active, REFERENCE);
  return range && REFERENCE.exec(editor?.document.getText(range) ?? "")?.[2];
}

/** Follows up an outcome of any command but `run`; whether the matter is settled. */
async function settle(connection: Connection, argument: Argument, outcome: Outcome): Promise<boolean> {
  switch (outcome.outcome) {
    case "done":
      void vscode.window.showInformationMessage(`vaultls: ${clean(outcome.message)}`);
      return true;
    case "needsInput":
      return ask.answer(connection, outcome);
    case "review":
      return review(connection, argument, outcome.pending);
    case "text":
      await vscode.env.clipboard.writeText(outcome.text);
      void vscode.window.showInformationMessage("vaultls: copied");
      return true;
    case "status":
      await overview.show(outcome, (command, more) => carryOut(connection, command, more));
      return true;
    case "failed":
      void vscode.window.showErrorMessage(`vaultls: ${clean(outcome.message)}`);
      return false;
    default:
      void vscode.window.showErrorMessage(`vaultls: unexpected answer ${clean(outcome.outcome)}`);
      return false;
  }
}

/** Shows the definitions that came with the workspace and asks for trust in exactly them. */
async function review(connection: Connection, argument: Argument, pending: Pending[]): Promise<boolean> {
  if (pending.length === 0) {
    void vscode.window.showInformationMessage("vaultls: nothing waits for your trust");
    return true;
  }
  const uri = documents.keep("/definitions to trust", describe(pending));
  await documents.show(uri, "plaintext");
  // No modal dialog: the definitions must stay readable and scrollable while it is open.
  const chosen = await vscode.window.showQuickPick([TRUST, "No"], {
    placeHolder: `Trust the ${pending.length} definitions of this workspace that are shown beside?`,
    ignoreFocusOut: true,
  });
  await documents.close(uri);
  return chosen === TRUST && send("vaultls.trust")(connection, { uri: argument.uri, approve: true });
}

function describe(pending: Pending[]): string {
  const lines = pending.flatMap((one) => [
    clean(`${one.kind} ${one.name}`),
    ...one.definition.trimEnd().split("\n").map((line) => "    " + clean(line)),
    "",
  ]);
  return lines.join("\n");
}
