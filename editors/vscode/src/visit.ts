// Sign-ins that wait for the browser, as the server tells of them by its progress: from the page until the session.

import type { ProgressToken, WorkDoneProgressBegin, WorkDoneProgressEnd } from "vscode-languageclient/node";
import type { Waiting } from "./outcome";

/** How the server calls the progress of a sign-in, before the integration's name. */
const TITLE = "Signing in to ";
/** How long the server may take to tell of its progress after it said where to sign in. */
const PATIENCE_MS = 10_000;

type Params = WorkDoneProgressBegin | WorkDoneProgressEnd | { kind: "report" };

/** One sign-in. */
class Visit implements Waiting {
  readonly over: Promise<boolean>;
  private resolve: (byItself: boolean) => void = () => undefined;
  /** Tells the server to give up, once it can be told. */
  private tell: (() => void) | undefined;
  private isUnwanted = false;

  constructor(private readonly forget: () => void) {
    this.over = new Promise((resolve) => (this.resolve = resolve));
  }

  get hasBegun(): boolean {
    return this.tell !== undefined;
  }

  begin(tell: () => void): void {
    this.tell = tell;
    if (this.isUnwanted) {
      tell();
    }
  }

  cancel(): void {
    this.isUnwanted = true;
    this.tell?.();
    this.end(false);
  }

  end(byItself: boolean): void {
    this.forget();
    this.resolve(byItself);
  }
}

export class Visits {
  private readonly byTitle = new Map<string, Visit>();
  private readonly byToken = new Map<ProgressToken, Visit>();

  /** Follows the progress of a sign-in, which is shown where the page is told of; whether it was one. */
  take(token: ProgressToken, params: Params, cancel: () => void): boolean {
    if (params.kind === "begin" && params.title.startsWith(TITLE)) {
      const visit = this.visit(params.title);
      this.byToken.set(token, visit);
      visit.begin(cancel);
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

  /** The sign-in to `integration` that is under way, or about to begin. */
  to(integration: string): Waiting {
    const visit = this.visit(TITLE + integration);
    const timer = setTimeout(() => visit.hasBegun || visit.end(false), PATIENCE_MS);
    void visit.over.then(() => clearTimeout(timer));
    return visit;
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
    const visit = new Visit(() => this.byTitle.get(title) === visit && this.byTitle.delete(title));
    this.byTitle.set(title, visit);
    return visit;
  }
}
