// The contract with the server: what its commands take and answer, as plain data.

export interface Response {
  status: number;
  reason: string;
  version: string;
  method: string;
  url: string;
  /** Pairs of name and value. */
  headers: [string, string][];
  body: string;
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
}

/** A definition of the workspace that nobody approved yet. */
export interface Pending {
  kind: string;
  name: string;
  definition: string;
}

export interface Integration {
  name: string;
  provider: string;
  file: string;
}

export interface Secret {
  name: string;
  enabled: boolean;
  origin?: { integration?: string | null } | null;
  problem?: { reason: string; detail: string } | null;
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

export interface Status {
  outcome: "status";
  local: string;
  integrations: Integration[];
  secrets: Secret[];
  pending?: Pending[];
}

export type Outcome =
  | Sent
  | NeedsInput
  | Status
  | { outcome: "blocked"; obstacles: Obstacle[] }
  | { outcome: "failed"; message: string; obstacle?: Obstacle | null }
  | { outcome: "done"; message: string }
  | { outcome: "text"; text: string }
  | { outcome: "review"; pending: Pending[] };

/** The one argument of a command; which fields it has depends on the command. */
export type Argument = Record<string, unknown>;

/** Whether an answer is an outcome at all; what is in it is the server's word. */
export function isOutcome(answer: unknown): answer is Outcome {
  return typeof answer === "object" && answer !== null && "outcome" in answer && typeof answer.outcome === "string";
}
