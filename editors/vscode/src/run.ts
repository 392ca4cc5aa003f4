// Sends a request, settles what keeps it from being sent, and shows what came of it.

import * as vscode from "vscode";
import type { Bar } from "./bar";
import { summary } from "./body";
import type { Connection } from "./client";
import * as context from "./context";
import type { Argument, Outcome, Sent } from "./outcome";
import { place } from "./place";
import { exists, Obstacles } from "./remedy";
import * as response from "./response";
import { clean, told } from "./text";
import { settle } from "./verb";

/** How often the user is asked about what keeps one request from being sent. */
const MAX_QUESTIONS = 5;
/** How often it is looked whether the server is ready after the user settled an obstacle. */
const LOOK_EVERY_MS = 100;
/** A request that is answered sooner shows no progress. */
const PROGRESS_DELAY_MS = 400;

export class Runs {
  /** Those that wait for their response. */
  private readonly waiting = new Set<vscode.CancellationTokenSource>();

  constructor(
    private readonly connection: Connection,
    private readonly bar: Bar,
  ) {}

  /** Sends the request that `argument` names, else the one at the cursor, from the user's act to its end. */
  async start(given: Argument, environment: string): Promise<void> {
    const argument: Argument = { ...(given.uri === undefined && place()), ...(environment !== "" && { environment }), ...given };
    if (typeof argument.uri !== "string") {
      void vscode.window.showWarningMessage("vaultls: open a file with requests first");
      return;
    }
    const obstacles = new Obstacles(this.connection, argument.uri);
    for (let questions = 0; questions < MAX_QUESTIONS; ) {
      const outcome = await this.send(argument);
      if (!outcome) {
        return;
      }
      if (outcome.outcome === "blocked" && obstacles.areUnderWay(outcome.obstacles)) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        continue;
      }
      questions++;
      if (!(await this.followUp(argument, outcome, obstacles))) {
        return;
      }
    }
  }

  /** Gives up every request that waits for its response. */
  cancel(): void {
    this.waiting.forEach((source) => source.cancel());
  }

  /** Cancelling is offered only while something can be cancelled. */
  private tell(): void {
    void context.set({ sending: this.waiting.size > 0 });
  }

  /** One attempt; nothing when the user cancelled it. */
  private async send(argument: Argument): Promise<Outcome | undefined> {
    const source = new vscode.CancellationTokenSource();
    this.waiting.add(source);
    this.tell();
    this.bar.show("$(sync~spin) sending");
    const answer = this.connection.call("vaultls.run", argument, source.token);
    try {
      await showProgress(answer, source);
      return await answer;
    } catch (error) {
      this.bar.show(source.token.isCancellationRequested ? "cancelled" : "failed");
      if (!source.token.isCancellationRequested) {
        throw error;
      }
      return undefined;
    } finally {
      this.waiting.delete(source);
      this.tell();
      source.dispose();
    }
  }

  /** Shows an outcome and settles what it asks for; whether to send again. */
  private async followUp(argument: Argument, outcome: Outcome, obstacles: Obstacles): Promise<boolean> {
    switch (outcome.outcome) {
      case "sent":
        await this.showSent(outcome);
        return false;
      case "blocked":
        this.bar.show("not sent");
        return obstacles.settle(outcome.obstacles);
      case "needsInput":
        this.bar.show("not sent");
        return settle(this.connection, argument, outcome);
      case "failed": {
        this.bar.show("failed");
        const { message, obstacle } = outcome;
        void vscode.window.showErrorMessage(told(obstacle ? `${message} (${obstacle.hint})` : message));
        return obstacle ? exists(obstacle) && obstacles.settle([obstacle]) : false;
      }
      default:
        throw new Error(`unexpected answer ${clean(outcome.outcome)}`);
    }
  }

  private async showSent(outcome: Sent): Promise<void> {
    const notes = outcome.notes ?? [];
    this.bar.showResponse(summary(outcome.response), outcome.response.status);
    await response.show(outcome.response, notes);
    for (const note of notes) {
      void vscode.window.showInformationMessage(told(note));
    }
  }
}

/** Shows a notification with a cancel button until `answer` is there, if that takes a while. */
async function showProgress(answer: Promise<unknown>, source: vscode.CancellationTokenSource): Promise<void> {
  const over = answer.then(() => true, () => true);
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), PROGRESS_DELAY_MS));
  if (await Promise.race([over, late])) {
    return;
  }
  const options = { location: vscode.ProgressLocation.Notification, title: "vaultls: sending", cancellable: true };
  await vscode.window.withProgress(options, async (_progress, token) => {
    token.onCancellationRequested(() => source.cancel());
    await over;
  });
}
