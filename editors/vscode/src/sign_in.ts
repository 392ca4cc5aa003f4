// Signing in on a page of the browser. The server opened the page; a person whose browser is elsewhere copies its
// address, and pastes the one that they were sent to.

import * as vscode from "vscode";
import * as ask from "./ask";
import type { Argument, Browser, Outcome, Server } from "./outcome";
import { clean } from "./text";

const COPY_CODE = "Copy Code";
const COPY_ADDRESS = "Copy Address";
const PASTE = "Paste the Address I Was Sent To...";

/** How long the server may take to make a session of what the browser brought back. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 200;

/** Tells where to sign in and waits for the end of it: what comes next, or whether the person is signed in. */
export async function visit(server: Server, argument: Argument, outcome: Browser): Promise<Outcome | boolean> {
  const over = server.signedIn(outcome.integration).then((back) => back && hasSession(server, argument, outcome));
  const ended = { yet: false };
  void over.then(() => (ended.yet = true));
  const pasted = offer(server, outcome, ended);
  // Whoever pastes hears of the end from the answer; otherwise the browser comes back by itself.
  return Promise.race([over, pasted.then((next) => next ?? over)]);
}

/** Whether there is a session, as soon as there is; a failure is told by the server itself. */
async function hasSession(server: Server, argument: Argument, { integration }: Browser): Promise<boolean> {
  const question = { ...(argument.uri !== undefined && { uri: argument.uri }), offline: true };
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const known = await server.call("vaultls.status", question);
    if (known.outcome === "status" && known.integrations.some((one) => one.name === integration && one.session)) {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

/** Shows the message until the person does something else; what a pasted address led to. */
async function offer(server: Server, outcome: Browser, ended: { yet: boolean }): Promise<Outcome | boolean | undefined> {
  const { url, code, ticket, fields = [] } = outcome;
  const words = clean(outcome.message) + (code === undefined ? "" : `: enter the code ${clean(code)}`);
  // A device's code is all there is to hand over.
  const pastes = ticket !== undefined && code === undefined;
  const choices = [...(code === undefined ? [] : [COPY_CODE]), COPY_ADDRESS, ...(pastes ? [PASTE] : [])];
  while (!ended.yet) {
    const chosen = await vscode.window.showInformationMessage(`vaultls: ${words}`, ...choices);
    if (chosen === COPY_CODE) {
      await vscode.env.clipboard.writeText(code ?? "");
    } else if (chosen === COPY_ADDRESS) {
      await vscode.env.clipboard.writeText(url);
    } else if (chosen === PASTE && ticket !== undefined && !ended.yet) {
      return ask.answer(server, { outcome: "needsInput", ticket, message: outcome.message, fields });
    } else {
      return undefined;
    }
  }
  return undefined;
}
