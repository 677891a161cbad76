// Shapes that cross a border: the server's JSON (a mirror of server/api/types.go) and the messages between page and workers.

export interface Config {
  build: string;
  now: number;
  maxShareSize: number;
  maxManifestSize: number;
  lifetimes: number[];
  defaultLifetime: number;
  maxLifetime: number;
  maxDownloads: number;
}

export interface CreateShare {
  access: string;
  reader: string;
  owner: string;
  password: boolean;
  size: number;
  lifetime: number;
  maxDownloads: number;
}

export interface Share {
  id: string;
  state: "open" | "ready";
  password: boolean;
  size: number;
  partSize: number;
  parts: number;
  now: number;
  created: number;
  expires: number;
  lifetime: number;
  maxDownloads: number;
  left: number | null;
}

/** A file to send; file is null for an empty folder, whose name ends in "/". */
export interface Item {
  name: string;
  file: File | null;
}

/** What the page asks the upload worker to send. */
export interface Shipment {
  kind: "file" | "tar" | "note";
  note: string;
  items: Item[];
  password: string | null;
  lifetime: number;
  maxDownloads: number;
}

/** News of an upload. done and total count plain bytes; done those whose sealed parts the server has acknowledged. */
export interface UploadNews {
  type: "link" | "progress";
  link?: string;
  done?: number;
  total?: number;
  sealed?: number;
}

export interface Posted {
  link: string;
  share: Share;
  sealed: number;
}

/** What the download worker has learnt of a share. */
export interface Opened {
  share: Share;
  manifest: import("../worker/engine.d.ts").Manifest | null; // null: not unlocked, or not whole yet
}

/** News of a save: primed once the first bytes are verified, then how many the browser has taken. */
export interface SaveNews {
  type: "primed" | "progress";
  done?: number;
}

/** What goes through the port between the download worker and whatever takes the bytes. */
export type SinkMessage =
  | { type: "data"; buffer: ArrayBuffer }
  | { type: "end" }
  | { type: "error" };
export type SourceMessage =
  | { type: "credit"; n: number; taken?: boolean }
  | { type: "complete" }
  | { type: "cancelled" };

/** Asks the service worker to answer /save/{id}. */
export interface SaveJob {
  type: "save";
  id: string;
  name: string;
  size: number;
}

/** The dotted paths of all messages. */
export type MessageKey = Path<typeof import("../messages/en.json")>;
type Path<T> = { [K in keyof T & string]: T[K] extends string | { other: string } ? K : `${K}.${Path<T[K]>}` }[keyof T & string];

interface TrustedTypePolicy {
  createScriptURL(s: string): string;
}
declare global {
  // Not in TypeScript's library yet. In truth it makes TrustedScriptURLs, which every sink takes in place of strings.
  var trustedTypes:
    | { createPolicy(name: string, rules: { createScriptURL(s: string): string }): TrustedTypePolicy }
    | undefined;
}
