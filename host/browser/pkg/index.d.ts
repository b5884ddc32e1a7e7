/** A way to reach a person. */
export type Channel = "sms" | "whatsapp" | "voice" | "email";

/** Who the contact is, and what is known of them. */
export interface Settings {
  /** With country code; +14155550123 when left out. */
  phoneNumber?: string;
  /** ISO 3166-1 alpha-2. */
  country?: string;
  /** ISO 3166-2, such as US-FL. */
  region?: string;
  /** Of the IANA database; left out: wherever the number may be. */
  timeZone?: string;
  /** BCP 47. */
  language?: string;
}

/** A message that the contact wrote. */
export interface Inbound {
  channel: Channel;
  body?: string;
  from?: string;
  messageId?: string;
  /** RFC 3339; now when left out. */
  sentAt?: string;
  selection?: { id: string; title?: string };
  footer?: string;
  country?: string;
  language?: string;
  question?: string;
  lastCategory?: string;
  answered?: boolean;
  adEntry?: boolean;
}

export interface Change {
  channel: Channel;
  category: string | null;
  status: "OPTIN" | "OPTOUT" | "NONE";
}

/** What a message means, and what follows. */
export interface Understood {
  intent: "opt-out" | "opt-in" | "help" | "answer-yes" | "answer-no" | "wrong-number" | "person" | "other";
  scope: string | null;
  review: boolean;
  rule: string;
  matched: string | null;
  language: string | null;
  reply: string | null;
  asks: string | null;
  route: "disconnect" | "bot" | "agent" | "priority-agent";
  priority: "normal" | "high";
  changes: Change[];
  eventId: string;
  duplicate: boolean;
  /** The open question that the message was read with. */
  question?: string | null;
  decidedBy?: DecidedBy;
  /** Why the policy gave no answer. */
  fault?: string | null;
  explanation?: {
    normalised: string;
    rejected: { rule: string; matched: string | null; why: string }[];
    ends: string | null;
  } | null;
}

/** Who gave an answer; with `fault` the floor answers for a policy that did not. */
export type DecidedBy = "policy" | "floor" | "fault";

/** A message that somebody wants to send. */
export interface Outbound {
  channel: Channel;
  to?: string;
  category?: string;
  /** Left out: free-form. */
  template?: { name: string; category: string };
  /** RFC 3339; now when left out. */
  at?: string;
  country?: string;
  region?: string;
  timeZone?: string;
  /** The event that it answers; `last`: the newest of the contact. */
  inReplyTo?: string;
  /** Whether to try every rule and give all reasons. */
  explain?: boolean;
  /** Whether only to ask: no place under a frequency cap is taken. */
  dryRun?: boolean;
}

/** Whether a message may go. */
export interface Decision {
  allowed: boolean;
  reason: string;
  retryAt: string | null;
  route: "send" | "silent-failure" | "internal-alert";
  decisionId: string;
  /** With `explain`, every reason. */
  reasons?: string[];
  /** With `explain`, the rules tried, in order. */
  trace?: { rule: string; outcome: "pass" | "skip" | "block" }[];
  decidedBy: DecidedBy;
  fault: string | null;
}

/** A change of consent that somebody reports. */
export interface Report {
  status: "OPTIN" | "OPTOUT";
  address?: string;
  channel?: Channel;
  category?: string;
  source?: string;
  actor?: string;
  at?: string;
  /** The proof of an opt-in. */
  evidence?: { timestamp?: string; text?: string; [more: string]: unknown };
}

/** What holds. */
export interface Consent {
  channelType: Channel | null;
  category: string | null;
  consentStatus: "OPTIN" | "OPTOUT" | "NONE";
  updatedAt: string | null;
  eventId: string | null;
}

/** One step of a scenario: exactly one of its parts happens. docs/simulator.md says more. */
export interface Step {
  inbound?: Inbound;
  preflight?: Outbound;
  report?: Report;
  consent?: { address?: string; channel?: Channel; category?: string };
  contact?: Settings;
  wait?: string;
  at?: string;
  expect?: Record<string, unknown>;
  note?: string;
}

/** How a scenario came out. */
export interface Played {
  name: string | null;
  passed: boolean;
  /** For each step the answer, and what of it is not as expected. */
  steps: { step: Step; answer: unknown; wrong: string[] }[];
}

/** What a gateway does with messages, kept in memory, with a clock that you move. */
export class Simulator {
  /** A simulator in which nothing has been said, with the policy of this package or another component. */
  static load(options?: { policy?: Uint8Array; at?: string }): Promise<Simulator>;
  /** Who decides. The digest is the SHA-256 of the component's bytes. */
  readonly policy: { digest: string; name: string; version: string; engine: string; size: number };
  /** What the clock shows, RFC 3339. */
  readonly now: string;
  /** The contact's number. */
  readonly address: string;
  /** The same policy in a world in which nothing has been said. */
  anew(at: string): Simulator;
  inbound(message: Inbound): Understood;
  preflight(question: Outbound): Decision;
  report(change: Report): Consent & { refused: boolean; recordedAs: string };
  consent(question?: { address?: string; channel?: Channel; category?: string }): Consent;
  contact(settings: Settings): { phoneNumber: string };
  /** Time passes: `90s`, `5m`, `24h`, `2d`. */
  wait(time: string): { at: string };
  /** It is another time, RFC 3339. */
  at(moment: string): { at: string };
  /** Takes one step of a scenario. */
  step(step: Step): unknown;
  /** Plays a scenario, as JSON, from its beginning. */
  play(scenario: string): Played;
  /** Every row of somebody's consent. */
  rows(address?: string): Consent[];
  /** What is on record of somebody, oldest first. */
  history(address?: string): Record<string, unknown>[];
  /** When somebody last wrote, and last came from an advertisement, by channel. */
  lastInbound(address?: string): {
    inbound: Partial<Record<Channel, string>> | null;
    adEntry: Partial<Record<Channel, string>> | null;
  };
}
