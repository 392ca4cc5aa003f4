// Signing in on a page of the browser. The server opened the page; one notification stands until the person is really
// signed in or cancels. A person whose browser is elsewhere copies its address there, and pastes the one that they were
// sent to.

import * as vscode from "vscode";
import * as ask from "./ask";
import type { Argument, Browser, Outcome, Server } from "./outcome";
import { told } from "./text";

/** What can be done at the notification: its links. None of these is for the palette. */
const ACTS: Record<string, (visit: Visit) => unknown> = {
  "vaultls.signIn.copyCode": ({ page }) => vscode.env.clipboard.writeText(page.code ?? ""),
  "vaultls.signIn.copyAddress": ({ page }) => vscode.env.clipboard.writeText(page.url),
  "vaultls.signIn.paste": (visit) => visit.paste(),
};

/** A sign-in whose notification stands. */
interface Visit {
  page: Browser;
  /** Asks for the address and hands it over. */
  paste: () => Promise<void>;
}

/** By the integration. */
const underWay = new Map<string, Visit>();

/** Registers what the links of the notification do. */
export function register(): vscode.Disposable[] {
  return Object.entries(ACTS).map(([id, act]) =>
    vscode.commands.registerCommand(id, (integration: unknown) => {
      const visit = underWay.get(String(integration));
      return visit && act(visit);
    }),
  );
}

/** Tells where to sign in and waits for the end of it: what comes next, or whether the person is signed in. */
export async function visit(server: Server, argument: Argument, page: Browser): Promise<Outcome | boolean> {
  const waiting = server.signIn(page.integration);
  let handedOver: Promise<Outcome | boolean> | undefined;
  let next: (outcome: Outcome | true) => void = () => undefined;
  const pasted = new Promise<Outcome | true>((resolve) => (next = resolve));
  const standing: Visit = {
    page,
    paste: async () => {
      const answers = await askAddress(page);
      handedOver = answers && ask.handOver(server, page.ticket ?? "", answers);
      const outcome = await handedOver;
      // Whoever gave up, or pasted something else, may still come back, and may try again.
      if (outcome !== undefined && outcome !== false) {
        next(outcome);
      }
    },
  };
  const back = async (): Promise<Outcome | boolean> => {
    const isSignedIn = (await waiting.over) && (await hasSession(server, argument, page));
    // Whoever pasted hears of the end from the answer.
    return (isSignedIn && (await handedOver)) || isSignedIn;
  };
  underWay.set(page.integration, standing);
  const options = { location: vscode.ProgressLocation.Notification, title: title(page), cancellable: true };
  const end = await vscode.window.withProgress(options, (progress, token) => {
    progress.report({ message: links(page) });
    token.onCancellationRequested(() => waiting.cancel());
    return Promise.race([back(), pasted]);
  });
  if (underWay.get(page.integration) === standing) {
    underWay.delete(page.integration);
  }
  return end;
}

/** The words before the links. */
function title({ integration, code }: Browser): string {
  const place = `Signing in to ${integration}`;
  return told(code === undefined ? `${place} on the page in the browser` : `${place}: enter ${code} on the page in the browser`);
}

function links({ integration, code, ticket }: Browser): string {
  const query = encodeURIComponent(JSON.stringify([integration]));
  const link = (words: string, act: string): string => `[${words}](command:vaultls.signIn.${act}?${query})`;
  const copyCode = code === undefined ? [] : [link("Copy Code", "copyCode")];
  // A device's code is all there is to hand over.
  const pastes = ticket !== undefined && code === undefined ? [link("Paste the Address I Was Sent To", "paste")] : [];
  return [...copyCode, link("Copy Address", "copyAddress"), ...pastes].join(" \u00b7 ");
}

/** Asks for the address, which carries a code and is hidden like one. */
function askAddress({ message, fields = [] }: Browser): Promise<Record<string, string> | undefined> {
  return ask.askFields(fields.map((field) => ({ ...field, kind: "hidden" as const })), message);
}

/** Whether there is a session; a failure is told by the server itself. */
async function hasSession(server: Server, argument: Argument, { integration }: Browser): Promise<boolean> {
  const question = { ...(argument.uri !== undefined && { uri: argument.uri }), offline: true };
  const known = await server.call("vaultls.status", question);
  return known.outcome === "status" && known.integrations.some((one) => one.name === integration && one.session);
}
