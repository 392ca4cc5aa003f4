// Questions to the user. Hidden answers are in no history, no message and no log.

import * as vscode from "vscode";
import type { Field, NeedsInput, Outcome, Server } from "./outcome";
import { clean, told } from "./text";

/** Asks for text that is no secret; nothing when the user gave up or entered nothing. `wrong` says what is wrong with it. */
export async function text(
  prompt: string,
  value = "",
  wrong?: (entered: string) => string | undefined,
): Promise<string | undefined> {
  const options = { prompt: clean(prompt), value, ignoreFocusOut: true };
  const answer = await vscode.window.showInputBox(wrong ? { ...options, validateInput: wrong } : options);
  return answer === "" ? undefined : answer;
}

/** Lets the user choose one of these. */
export function chooseOne<Item extends vscode.QuickPickItem>(question: string, items: Item[]): Thenable<Item | undefined> {
  return vscode.window.showQuickPick(items, { placeHolder: question, matchOnDetail: true, ignoreFocusOut: true });
}

/** Lets the user choose among things to do, in a dialog that does not vanish by itself. */
export function decide<Choice extends string>(message: string, ...choices: Choice[]): Thenable<Choice | undefined> {
  return vscode.window.showWarningMessage(clean(message), { modal: true }, ...choices);
}

/** Asks what the server needs and hands it over past the protocol: what comes next, or whether it was taken. */
export async function answer(server: Server, outcome: NeedsInput): Promise<Outcome | boolean> {
  const answers = await askFields(outcome.fields, outcome.message ?? "");
  if (!answers) {
    void vscode.window.showInformationMessage("vaultls: nothing was entered");
    return false;
  }
  return handOver(server, outcome.ticket, answers);
}

/** Hands over what was entered: what comes next, or whether it was taken. */
export async function handOver(server: Server, ticket: string, answers: Record<string, string>): Promise<Outcome | boolean> {
  const answered = await server.answer(ticket, answers);
  if ("refused" in answered) {
    void vscode.window.showErrorMessage(told(answered.refused));
    return false;
  }
  return answered.next ?? true;
}

/** Asks for one field after the other; nothing when the user gave up. */
export async function askFields(fields: Field[], title: string): Promise<Record<string, string> | undefined> {
  const answers: Record<string, string> = {};
  for (const [index, field] of fields.entries()) {
    const step = fields.length > 1 ? ` (${index + 1} of ${fields.length})` : "";
    const entered = await vscode.window.showInputBox({
      title: clean(title) + step,
      prompt: clean(field.label),
      password: field.kind !== "text",
      ignoreFocusOut: true,
    });
    if (entered === undefined || (entered === "" && field.optional !== true)) {
      return undefined;
    }
    answers[field.id] = entered;
  }
  return answers;
}
