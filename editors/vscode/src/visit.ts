// Sign-ins that wait for the browser: shown as progress that can be cancelled, and waited for until they are over.

import * as vscode from "vscode";
import type { ProgressToken, WorkDoneProgressBegin, WorkDoneProgressEnd } from "vscode-languageclient/node";
import { clean } from "./text";

/** How the server calls the progress of a sign-in, before the integration's name. */
const TITLE = "Signing in to ";
/** How long the server may take to tell of its progress after it said where to sign in. */
const PATIENCE_MS = 10_000;

type Params = WorkDoneProgressBegin | WorkDoneProgressEnd | { kind: "report" };

/** One sign-in: `over` resolves to whether it came to its end by itself. */
interface Visit {
  over: Promise<boolean>;
  end: (byItself: boolean) => void;
  begun: boolean;
}

export class Visits {
  private readonly byTitle = new Map<string, Visit>();
  private readonly byToken = new Map<ProgressToken, Visit>();

  /** Shows the progress of a sign-in; whether it was one. */
  take(token: ProgressToken, params: Params, cancel: () => void): boolean {
    if (params.kind === "begin" && params.title.startsWith(TITLE)) {
      const visit = this.visit(params.title);
      visit.begun = true;
      this.byToken.set(token, visit);
      show(params.title, visit, cancel);
      return true;
    }
    const visit = this.byToken.get(token);
    if (params.kind === "end" && visit) {
      this.byToken.delete(token);
      visit.end(true);
    }
    // The client, too, has to see the end, to let go of the token.
    return visit !== undefined && params.kind !== "end";
  }

  /** Waits until the sign-in to `integration` is over; false when it was given up or never began. */
  over(integration: string): Promise<boolean> {
    const visit = this.visit(TITLE + integration);
    setTimeout(() => visit.begun || visit.end(false), PATIENCE_MS);
    return visit.over;
  }

  /** Gives all of them up: the server is gone. */
  end(): void {
    this.byTitle.forEach((visit) => visit.end(false));
    this.byToken.clear();
  }

  private visit(title: string): Visit {
    const known = this.byTitle.get(title);
    if (known) {
      return known;
    }
    let resolve: (byItself: boolean) => void = () => undefined;
    const over = new Promise<boolean>((settle) => (resolve = settle));
    const end = (byItself: boolean): void => {
      this.byTitle.delete(title);
      resolve(byItself);
    };
    const visit: Visit = { over, end, begun: false };
    this.byTitle.set(title, visit);
    return visit;
  }
}

function show(title: string, visit: Visit, cancel: () => void): void {
  const location = vscode.ProgressLocation.Notification;
  void vscode.window.withProgress({ location, title: `vaultls: ${clean(title)}`, cancellable: true }, (_, token) => {
    token.onCancellationRequested(() => {
      cancel();
      visit.end(false);
    });
    return visit.over;
  });
}
