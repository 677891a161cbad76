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
  reportRecipient: string; // "": the operator takes no reports
  uploads: "open" | "token" | "sign-in"; // what this browser needs to make shares
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
  taken?: number; // told to the owner only
  direct?: boolean; // parts may go past the server
}

/** A request that moves a part between this browser and the server's store. */
export interface Direct {
  method: string;
  url: string;
  headers: Record<string, string>;
  expires: number;
}

/** What an owner changes of a share; what is absent stays as it is. */
export interface UpdateShare {
  lifetime?: number;
  maxDownloads?: number;
}

/** What has arrived of a share: runs of parts, first and last of each. */
export interface Parts {
  state: "open" | "ready";
  partSize: number;
  size: number;
  manifest: boolean;
  count: number;
  ranges: [number, number][];
  direct?: boolean; // as in Share
}

/** A file to send; file is null for an empty folder, whose name ends in "/". */
export interface Item {
  name: string;
  file: File | null;
}

/** What the journal keeps of an upload, sealed. */
export interface Upload {
  engine: string; // build
  fragment: string;
  owner: string; // token
  identity: string; // so that a password need not be kept
  password: boolean;
  kind: "file" | "tar" | "note";
  note: string;
  entries: KeptEntry[]; // in the order in which they were sealed
  lifetime: number;
  maxDownloads: number;
  partSize: number;
  grace: number; // seconds after its last part until the server lets go of it
  keep: boolean; // its link, for later
}

/** What this browser knows of a share that it has sent. Sealed where it is kept (kept.js), but for id and expires. */
export interface Keepsake {
  id: string;
  fragment: string;
  owner: string; // token
  password: boolean;
  kind: "file" | "tar" | "note";
  names: string[]; // the first at the top level; that of a folder ends in "/"
  more: number; // how many there are besides
  files: number;
  size: number; // plain bytes
  created: number; // milliseconds by this device's clock, as are all moments here
  expires: number; // when it is erased here, too
  lifetime: number; // seconds
  maxDownloads: number;
  taken: number;
  state: "open" | "ready" | "gone";
  seen: number; // when the server said so
  gone: "" | "expired" | "revoked" | "givenUp" | "spent" | "takenDown" | "spentOrTakenDown"; // why, as far as can be known
}

/** A file as it was when an upload began, or an empty folder, whose name ends in "/". */
export interface KeptEntry {
  name: string;
  size: number;
  type: string;
  lastModified: number; // milliseconds
}

/** What the page asks the upload worker to send. */
export interface Shipment {
  kind: "file" | "tar" | "note";
  note: string;
  items: Item[];
  password: string | null;
  lifetime: number;
  maxDownloads: number;
  keep: boolean; // the link in this browser, for later
  handles: FileSystemHandle[]; // which give the files again in another page; none if some have none
  uploadToken?: string; // where the server asks for one
}

/** An unfinished upload to go on with; items are what its entries were, in their order. */
export interface Resumption {
  id: string;
  items: Item[];
  handles: FileSystemHandle[];
  uploadToken?: string; // for beginning anew
}

/** How far a transfer has come. All counts are of plain bytes, since compression changes sizes. */
export interface Progress {
  type: "progress";
  done: number; // what the other side has acknowledged, and nothing else
  moved: number; // including what is on the line, which may get lost and move again: for the speed only
  checking?: boolean; // so far it is only what was there before
  joining?: boolean; // all is there, and is made into one file
}

/** What a page has to say besides of a transfer. */
export interface Beside {
  rests?: string; // why nothing moves, if nothing does
  also?: string;
}

/**
 * News of an upload: the link, before the first part is sent, and whether another page could go on with it; then how far it is. If
 * it cannot be gone on with, it is begun anew, with another link.
 */
export type UploadNews = { type: "link"; id: string; link: string; kept: boolean } | { type: "anew"; reason: "mismatch" | "outdated" } | UploadProgress;
export interface UploadProgress extends Progress {
  total: number;
  framed: number; // what has been read, compressed and is being encrypted
  compressed: number; // how many bytes that was compressed to, without padding
  checking: boolean; // so far it is only what was sent before, and is read again to be compared
}

export interface Posted {
  link: string;
  share: Share;
  sealed: number;
  files?: number; // as the parcel has them, if not given
  size?: number;
}

/** What the download worker has learnt of a share. */
export interface Opened {
  share: Share;
  manifest: import("../worker/engine.d.ts").Manifest | null; // null: locked, or it has not arrived
  locked: boolean;
  kept: Kept | null;
  taken: boolean; // there is a ticket from before
}

/** What a recipient tells the operator. */
export interface Complaint {
  reason: import("../worker/engine.d.ts").Report["reason"];
  words: string;
  key: boolean; // whether the operator may open the share
}

/** What is on this device of the whole: which part of it, and the file that was chosen to save to. */
export interface Kept {
  part: number;
  file: FileSystemFileHandle | null;
}

/** What has arrived at the server of a share that its sender is still sending. */
export interface FollowNews {
  sent: number; // at least this part of it, from 0 to 1
  manifest: boolean;
}

/** News of a save: primed once the first bytes are verified; done are those that the browser has taken. */
export type SinkNews = { type: "primed" } | { type: "progress"; done: number };
export type SaveNews = { type: "primed" } | SaveProgress;
export interface SaveProgress extends Progress {
  sent?: number; // as in FollowNews, while the sender is still sending
  waiting?: boolean; // and nothing else is missing than what the sender has to send
  fetched: number; // sealed bytes that have come over the line
}

/** What goes through the port between the download worker and whatever takes the bytes. */
export type SinkMessage =
  | { type: "data"; buffer: ArrayBuffer }
  | { type: "end" }
  | { type: "error" };
export type SourceMessage =
  | { type: "credit"; n: number; taken?: boolean; buffer?: ArrayBuffer } // the buffer that was taken, to serve again
  | { type: "complete" }
  | { type: "cancelled" }
  | { type: "failed"; code: string };

/** Asks the service worker to answer /save/{id}, for as long as the page holds the lock. */
export interface SaveJob {
  type: "save";
  id: string;
  name: string;
  size: number;
  lock: string;
}

/** The service worker asks a page for bytes of what it plays, and sends a port along, through which they talk. */
export interface MediaCall {
  type: "media";
  id: string;
}
/** What comes through that port: the head from the page, the rest from the download worker. */
export type MediaAnswer =
  | { type: "head"; size: number; mime: string }
  | { type: "data"; buffer: ArrayBuffer }
  | { type: "end" }
  | { type: "error" };
export type MediaQuestion =
  | { type: "open"; from: number; to: number }
  | { type: "pull" } // one more piece
  | { type: "cancel" };

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
  // In Chromium.
  var showOpenFilePicker: ((o: { multiple: boolean }) => Promise<FileSystemFileHandle[]>) | undefined;
  interface DataTransferItem {
    getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
  }
  interface Window {
    showSaveFilePicker?(o: { id: string; startIn: string; suggestedName: string }): Promise<FileSystemFileHandle>;
  }
  interface FileSystemHandle {
    remove?(): Promise<void>;
    queryPermission?(o: { mode: "read" }): Promise<PermissionState>;
    requestPermission?(o: { mode: "read" | "readwrite" }): Promise<PermissionState>;
  }
}
