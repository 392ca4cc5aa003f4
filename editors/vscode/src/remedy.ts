// What can be done, here and now and by the user's word, about an obstacle that keeps a request from being sent.

import * as vscode from "vscode";
import * as ask from "./ask";
import type { Obstacle, Server } from "./outcome";
import { clean, told } from "./text";
import { carryOut, status } from "./verb";

/**
 * How long an answer may take to have its effect in the server: a value is stored, and a key derived, after the answer
 * was taken.
 */
const PATIENCE_MS = 10_000;

/** Whether the obstacle is out of the way. */
type Remedy = (server: Server, uri: string, obstacle: Obstacle) => Promise<boolean>;

/** By the code of the obstacle. */
const REMEDIES: Record<string, Remedy> = {
  "host-unapproved": allowHost,
  untrusted: (server, uri) => carryOut(server, "vaultls.trust", { uri }),
  locked: unlock,
  missing: provide,
  empty: provide,
  disabled: enable,
  "login-needed": signIn,
  "mfa-needed": signIn,
};

/** Obstacles that are gone for every secret once they are gone for one. */
const SHARED = new Set(["untrusted", "locked", "login-needed", "mfa-needed"]);

async function allowHost(server: Server, uri: string, obstacle: Obstacle): Promise<boolean> {
  const choice = await ask.decide(describe(obstacle), "Once", "Always");
  if (choice === undefined) {
    return false;
  }
  const { secret, host } = obstacle;
  return carryOut(server, "vaultls.allowHost", { uri, secret, host, remember: choice === "Always" });
}

async function unlock(server: Server, _uri: string, obstacle: Obstacle): Promise<boolean> {
  return (await ask.decide(describe(obstacle), "Unlock")) !== undefined && carryOut(server, "vaultls.unlock", {});
}

async function provide(server: Server, uri: string, obstacle: Obstacle): Promise<boolean> {
  const create = "Create in the Local Vault";
  const choice = await ask.decide(describe(obstacle), create, "Link to an External Vault");
  if (choice === undefined) {
    return false;
  }
  const command = choice === create ? "vaultls.create" : "vaultls.link";
  return carryOut(server, command, { uri, name: obstacle.secret });
}

async function enable(server: Server, uri: string, obstacle: Obstacle): Promise<boolean> {
  const agreed = (await ask.decide(describe(obstacle), "Enable")) !== undefined;
  return agreed && carryOut(server, "vaultls.enable", { uri, name: obstacle.secret });
}

async function signIn(server: Server, uri: string, obstacle: Obstacle): Promise<boolean> {
  if ((await ask.decide(describe(obstacle), "Sign In")) === undefined) {
    return false;
  }
  const known = (await status(server, uri))?.secrets.find((secret) => secret.name === obstacle.secret);
  const integration = known?.origin?.integration ?? undefined;
  return carryOut(server, "vaultls.login", integration === undefined ? { uri } : { uri, integration });
}

/** The obstacles of one request, across its attempts. */
export class Obstacles {
  /** When the user settled an obstacle. */
  private readonly settled = new Map<string, number>();

  constructor(
    private readonly server: Server,
    private readonly uri: string,
  ) {}

  /** Whether the user settled all of these a moment ago and the server may still be busy with them. */
  areUnderWay(obstacles: Obstacle[]): boolean {
    return obstacles.length > 0 && obstacles.every((obstacle) => this.isUnderWay(obstacle));
  }

  /** Asks the user about each; one without a remedy is told, with all the others. Whether all are out of the way. */
  async settle(obstacles: Obstacle[]): Promise<boolean> {
    if (obstacles.length === 0 || obstacles.some((obstacle) => this.isHopeless(obstacle))) {
      void vscode.window.showWarningMessage(told(`not sent: ${obstacles.map(describe).join("; ")}`));
      return false;
    }
    for (const obstacle of obstacles) {
      if (!this.settled.has(key(obstacle)) && !(await this.remove(obstacle))) {
        return false;
      }
    }
    return true;
  }

  private async remove(obstacle: Obstacle): Promise<boolean> {
    const removed = (await REMEDIES[obstacle.code]?.(this.server, this.uri, obstacle)) ?? false;
    if (removed) {
      this.settled.set(key(obstacle), Date.now());
    }
    return removed;
  }

  private isHopeless(obstacle: Obstacle): boolean {
    const failed = this.settled.has(key(obstacle)) && !this.isUnderWay(obstacle);
    return failed || !(obstacle.code in REMEDIES);
  }

  private isUnderWay(obstacle: Obstacle): boolean {
    const since = this.settled.get(key(obstacle));
    return since !== undefined && Date.now() - since < PATIENCE_MS;
  }
}

/** Whether something can be done about it. */
export function exists(obstacle: Obstacle): boolean {
  return obstacle.code in REMEDIES;
}

/** What makes an obstacle the same one in the next answer. */
function key(obstacle: Obstacle): string {
  const { code, secret, host } = obstacle;
  return SHARED.has(code) ? code : JSON.stringify([code, secret, host]);
}

function describe(obstacle: Obstacle): string {
  const subject = `\`${obstacle.secret ?? ""}\``;
  const isNamed = !obstacle.secret || obstacle.message.includes(subject);
  const message = isNamed ? obstacle.message : `${subject}: ${obstacle.message}`;
  return clean(obstacle.hint ? `${message} (${obstacle.hint})` : message);
}
