// The commands of the server apart from `run`: each completes its argument by asking the user, sends it, and follows
// up what the server answers. All of them tell whether the matter is settled.

import * as vscode from "vscode";
import * as ask from "./ask";
import { choose } from "./choose";
import * as integration from "./integration";
import { askLink, chooseIntegration } from "./link";
import type { Argument, Failed, Integration, Outcome, Pending, Server, Status } from "./outcome";
import * as overview from "./overview";
import { place } from "./place";
import * as definitions from "./review";
import * as signIn from "./sign_in";
import { clean, told } from "./text";

type Verb = (server: Server, argument: Argument) => Promise<boolean>;

const REFERENCE = /(<<|\{\{)\s*vault:\s*([^<>{}]*?)\s*(>>|\}\})/;
/** This one is the extension's own. */
const ADD = "vaultls.addIntegration";
const BY_HAND = "Type It by Hand";
/** Reasons why nothing can be chosen that the person can remove, and how. */
const REMEDIES: Record<string, [title: string, verb: Verb]> = {
  "login-needed": ["Sign In", login],
  "mfa-needed": ["Sign In", login],
  disconnected: ["Sign In", login],
  untrusted: ["Review Definitions", send("vaultls.trust")],
};

/** By the id of the command; `vaultls.run` has a file of its own. */
const VERBS: Record<string, Verb> = {
  "vaultls.allowHost": send("vaultls.allowHost"),
  "vaultls.create": sendWithName("vaultls.create"),
  "vaultls.enable": sendWithName("vaultls.enable"),
  "vaultls.link": link,
  "vaultls.unlock": (server) => send("vaultls.unlock")(server, {}),
  "vaultls.lock": (server) => send("vaultls.lock")(server, {}),
  "vaultls.login": login,
  "vaultls.disconnect": sendWithIntegration("vaultls.disconnect"),
  "vaultls.browse": link,
  "vaultls.openAtProvider": sendWithName("vaultls.openAtProvider"),
  "vaultls.trust": send("vaultls.trust"),
  "vaultls.status": send("vaultls.status"),
  "vaultls.resetCache": send("vaultls.resetCache"),
  "vaultls.extract": send("vaultls.extract"),
  "vaultls.copyCurl": copyCurl,
  [ADD]: async (server, argument) => (await addIntegration(server, argument)) !== undefined,
};

/** Every command that the server announces to this extension. */
export const ANNOUNCED = ["vaultls.run", ...Object.keys(VERBS).filter((id) => id !== ADD)];

/** Carries a command out, with the active document where the command is about one and names none. */
export async function carryOut(server: Server, command: string, argument: Argument): Promise<boolean> {
  const verb = VERBS[command];
  if (!verb) {
    throw new Error(`there is no command ${command}`);
  }
  const { uri } = place();
  const ofDocument = command !== "vaultls.unlock" && command !== "vaultls.lock";
  const complete = uri !== undefined && ofDocument ? { uri, ...argument } : { ...argument };
  return verb(server, complete);
}

/** The status of the workspace that `uri` lies in, without asking any vault. */
export async function status(server: Server, uri: unknown): Promise<Status | undefined> {
  const outcome = await server.call("vaultls.status", { ...(uri !== undefined && { uri }), offline: true });
  return outcome.outcome === "status" ? outcome : undefined;
}

function send(command: string): Verb {
  return async (server, argument) => settle(server, argument, await server.call(command, argument));
}

function sendWithName(command: string): Verb {
  return async (server, argument) => {
    const name = argument.name ?? (await askName());
    return name !== undefined && send(command)(server, { ...argument, name });
  };
}

/** The request that was named, else the one at the cursor. */
function copyCurl(server: Server, argument: Argument): Promise<boolean> {
  const { line } = place();
  const named = argument.request !== undefined || argument.line !== undefined || line === undefined;
  return send("vaultls.copyCurl")(server, named ? argument : { ...argument, line });
}

/** Finds the secret by choosing, unless the argument says where it is. */
async function link(server: Server, argument: Argument): Promise<boolean> {
  const name = argument.name ?? (await askName());
  if (name === undefined) {
    return false;
  }
  const target = argument.link ?? (await findTarget(server, { ...argument, name }));
  return target !== undefined && send("vaultls.link")(server, { uri: argument.uri, name, link: target });
}

/** What the secret is to be linked to; nothing when the person gave up. */
async function findTarget(server: Server, argument: Argument): Promise<unknown> {
  const target = await integrationOf(server, argument);
  const question = { uri: argument.uri, name: argument.name, integration: target?.name };
  while (target) {
    const found = await choose(server, question);
    if (!found || "link" in found) {
      return found?.link;
    }
    const choice = await decideAfter(server, question, found.failed);
    if (choice !== "again") {
      return choice === "by hand" ? askLink(target) : undefined;
    }
  }
  return undefined;
}

/** What to do where nothing can be chosen. */
async function decideAfter(server: Server, question: Argument, failed: Failed): Promise<"again" | "by hand" | "end"> {
  const [title, remedy] = REMEDIES[failed.code ?? ""] ?? [];
  const chosen = await ask.decide(failed.message, ...(title === undefined ? [] : [title]), BY_HAND);
  if (chosen === BY_HAND) {
    return "by hand";
  }
  const { uri, integration } = question;
  const argument = failed.code === "untrusted" ? { uri } : { uri, integration };
  return chosen !== undefined && (await remedy?.(server, argument)) === true ? "again" : "end";
}

function login(server: Server, argument: Argument): Promise<boolean> {
  return sendWithIntegration("vaultls.login")(server, argument);
}

function sendWithIntegration(command: string): Verb {
  return async (server, argument) => {
    const name = argument.integration ?? (await integrationOf(server, argument))?.name;
    return name !== undefined && send(command)(server, { uri: argument.uri, integration: name });
  };
}

async function integrationOf(server: Server, argument: Argument): Promise<Integration | undefined> {
  const known = (await status(server, argument.uri))?.integrations ?? [];
  const named = known.find((one) => one.name === argument.integration);
  const chosen = named ?? (await chooseIntegration(known));
  return chosen === "add" ? addIntegration(server, argument) : chosen;
}

/** A new one, which counts once the person has seen and trusted what stands in the file. */
async function addIntegration(server: Server, { uri }: Argument): Promise<Integration | undefined> {
  const name = await integration.add(uri);
  const scope = uri === undefined ? {} : { uri };
  if (name === undefined || !(await send("vaultls.trust")(server, scope))) {
    return undefined;
  }
  return (await status(server, uri))?.integrations.find((one) => one.name === name);
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
export async function settle(server: Server, argument: Argument, outcome: Outcome): Promise<boolean> {
  switch (outcome.outcome) {
    case "done":
      void vscode.window.showInformationMessage(told(outcome.message));
      return true;
    case "needsInput":
      return goOn(server, argument, await ask.answer(server, outcome));
    case "browser":
      return goOn(server, argument, await signIn.visit(server, argument, outcome));
    case "page":
      await offerPage(outcome.message, outcome.url);
      return true;
    case "review":
      return review(server, argument, outcome.pending);
    case "text":
      await vscode.env.clipboard.writeText(outcome.text);
      void vscode.window.showInformationMessage("vaultls: copied");
      return true;
    case "status":
      await overview.show(outcome, (command, more) => carryOut(server, command, more));
      return true;
    case "failed":
      void vscode.window.showErrorMessage(told(outcome.message));
      return false;
    default:
      void vscode.window.showErrorMessage(`vaultls: unexpected answer ${clean(outcome.outcome)}`);
      return false;
  }
}

/** What an answer led to: a further outcome, or the end. */
async function goOn(server: Server, argument: Argument, next: Outcome | boolean): Promise<boolean> {
  return typeof next === "boolean" ? next : settle(server, argument, next);
}

/** A page that the server could not have shown. */
async function offerPage(message: string, url: string): Promise<void> {
  const [open, copy] = ["Open", "Copy Address"];
  const chosen = await vscode.window.showInformationMessage(told(message), open, copy);
  if (chosen === open) {
    await vscode.env.openExternal(vscode.Uri.parse(url, true));
  } else if (chosen === copy) {
    await vscode.env.clipboard.writeText(url);
  }
}

async function review(server: Server, argument: Argument, pending: Pending[]): Promise<boolean> {
  if (pending.length === 0) {
    void vscode.window.showInformationMessage("vaultls: nothing waits for your trust");
    return true;
  }
  return (await definitions.agrees(pending)) && send("vaultls.trust")(server, { uri: argument.uri, approve: true });
}
