// Hands over what a person entered through the standard input of `vaultls answer TICKET`, because editors log the
// messages of their protocol. What the program prints comes next.

import { spawn } from "node:child_process";
import { type Answered, isOutcome } from "./outcome";

/** How much of a failed program's last words is shown. */
const MAX_ERROR = 2000;

/** Gives why the answers were not taken, or what comes next. */
export function handOver(program: string, ticket: string, answers: Record<string, string>): Promise<Answered> {
  return new Promise((resolve) => {
    const child = spawn(program, ["answer", ticket], { stdio: "pipe", windowsHide: true });
    let printed = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(0, MAX_ERROR)));
    child.on("error", (error) => resolve({ refused: error.message }));
    child.on("close", (code) => {
      resolve(code === 0 ? next(printed) : { refused: errors.trim() || "the answer was not taken" });
    });
    // The program may refuse the ticket before it reads; then its exit code says why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(answers));
  });
}

/** What the program printed: nothing, or one outcome. */
function next(printed: string): Answered {
  try {
    const outcome: unknown = JSON.parse(printed);
    return isOutcome(outcome) ? { next: outcome } : {};
  } catch {
    return {};
  }
}
