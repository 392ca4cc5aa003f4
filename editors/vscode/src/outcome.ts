// The contract with the server: what its commands take and answer, as plain data.

import type { CancellationToken } from "vscode";

export interface Response {
  status: number;
  reason: string;
  version: string;
  method: string;
  url: string;
  /** Pairs of name and value. */
  headers: [string, string][];
  body: string;
  /** The body laid out, where the server did that. */
  shown?: string | null;
  /** The body is a note about binary data. */
  binary: boolean;
  truncated: boolean;
  /** Length of the body as received. */
  bytes: number;
  millis: number;
  /** Status and the URL it led to. */
  redirects: [number, string][];
}

/** What keeps a request from being sent. */
export interface Obstacle {
  secret?: string | null;
  host?: string | null;
  code: string;
  message: string;
  hint: string;
}

export interface Field {
  id: string;
  label: string;
  kind: "text" | "hidden" | "otp";
  /** Whether it may be left empty. */
  optional?: boolean;
}

/** A line of a definition that was approved in another form before. */
export interface Line {
  change: "kept" | "removed" | "added";
  text: string;
}

/** A definition of the workspace that nobody approved yet. */
export interface Pending {
  kind: string;
  name: string;
  definition: string;
  /** What differs from what was approved before; nothing where nothing was. */
  changes?: Line[] | null;
}

export interface Problem {
  reason: string;
  detail: string;
}

/** Who is signed in. */
export interface Session {
  who?: string | null;
  organization?: string | null;
  /** In UTC. */
  until?: string | null;
}

export interface Integration {
  name: string;
  provider: string;
  file: string;
  session?: Session | null;
  problem?: Problem | null;
  /** The next step, where something is wrong. */
  next?: string | null;
}

export interface Secret {
  name: string;
  enabled: boolean;
  origin?: { integration?: string | null; console?: string | null } | null;
  problem?: Problem | null;
}

/** One thing to choose: with `path`, more to choose from; with `link`, what `vaultls.link` takes. */
export interface Item {
  label: string;
  detail?: string;
  path?: string[];
  link?: Argument;
}

export interface Sent {
  outcome: "sent";
  response: Response;
  notes?: string[];
}

export interface NeedsInput {
  outcome: "needsInput";
  ticket: string;
  message?: string;
  fields: Field[];
}

/** The person is to sign in on a page, which the server opened. */
export interface Browser {
  outcome: "browser";
  integration: string;
  url: string;
  /** To be entered on the page. */
  code?: string;
  message: string;
  /** For the address that a browser elsewhere was sent to. */
  ticket?: string;
  fields?: Field[];
}

/** What there is to choose from; names, never values. */
export interface Choices {
  outcome: "choices";
  title: string;
  items: Item[];
  /** The next page. */
  more?: string;
  /** What can be typed by hand, as the next part of the path. */
  ask?: { label: string; placeholder?: string };
}

export interface Failed {
  outcome: "failed";
  message: string;
  /** Why, where that is one of the reasons that have a code. */
  code?: string;
  obstacle?: Obstacle | null;
}

export interface Status {
  outcome: "status";
  local: string;
  integrations: Integration[];
  secrets: Secret[];
  pending?: Pending[];
  /** The names of the environments that the requests of the document can be sent with. */
  environments?: string[];
}

export type Outcome =
  | Sent
  | NeedsInput
  | Status
  | { outcome: "blocked"; obstacles: Obstacle[] }
  | Browser
  | Choices
  | Failed
  | { outcome: "page"; url: string; message: string }
  | { outcome: "done"; message: string }
  | { outcome: "text"; text: string }
  | { outcome: "review"; pending: Pending[] };

/** The one argument of a command; which fields it has depends on the command. */
export type Argument = Record<string, unknown>;

/** The server, as far as a question to the person needs it. */
export interface Server {
  /** Sends a command and gives its outcome; fails when it was cancelled. */
  call(command: string, argument: Argument, token?: CancellationToken): Promise<Outcome>;
  /** Hands over what the person entered, past the protocol. */
  answer(ticket: string, answers: Record<string, string>): Promise<Answered>;
  /** The sign-in in the browser that was just begun. */
  signIn(integration: string): Waiting;
}

/** A sign-in that is waited for. */
export interface Waiting {
  /** Resolves at its end; false when it was given up. */
  over: Promise<boolean>;
  cancel(): void;
}

/** Why an answer was not taken, or what comes next. */
export type Answered = { refused: string } | { next?: Outcome };

/** Whether an answer is an outcome at all; what is in it is the server's word. */
export function isOutcome(answer: unknown): answer is Outcome {
  return typeof answer === "object" && answer !== null && "outcome" in answer && typeof answer.outcome === "string";
}
