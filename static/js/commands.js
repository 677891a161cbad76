// @ts-check
// The commands with which stock tools open a share: those of README.md, for one that is known. Nothing in them is from a sender:
// a name, in a shell, could be a command.

/**
 * A step and its commands, as they are typed.
 * @typedef {{name: "begin" | "keys" | "shown" | "names" | "take" | "fetch" | "parts" | "unseal" | "finish", commands: string}} Step
 */

/**
 * The keys by the program sealpost, of a link that is asked for, so that it is in no history of commands; and so is the password, once. It
 * is asked for within braces: a shell reads to their end before it begins, so that none of these lines is taken for the password.
 * @param {string} site
 * @param {string} id
 * @param {boolean} password whether it needs one
 * @returns {Step[]}
 */
export const byProgram = (site, id, password) => [
  { name: "begin", commands: `umask 077\nSHARE='${site}/api/v1/shares/${id}'\nread -r LINK` },
  { name: "keys", commands: password ? `{ printf 'Password: '; IFS= read -rs PASSWORD; echo
  SEALPOST_PASSWORD=$PASSWORD bin/sealpost key "$LINK" > key.txt
  READER="Authorization: Bearer $(SEALPOST_PASSWORD=$PASSWORD bin/sealpost token "$LINK")"
  unset PASSWORD; }` : `bin/sealpost key "$LINK" > key.txt
READER="Authorization: Bearer $(bin/sealpost token "$LINK")"` },
];

/**
 * The same without it.
 * @param {string} site
 * @param {string} id
 * @param {{bearer: string, identity: string}} keys
 * @returns {Step[]}
 */
export const byKeys = (site, id, { bearer, identity }) => [
  { name: "shown", commands: `umask 077\nSHARE='${site}/api/v1/shares/${id}'\necho '${identity}' > key.txt\nREADER='Authorization: Bearer ${bearer}'` },
];

/**
 * What follows.
 * @param {boolean} tar whether the content is one
 * @returns {Step[]}
 */
export const rest = (tar) => [
  { name: "names", commands: `curl -sSf -H "$READER" "$SHARE/manifest" | age -d -i key.txt | zstd -d` },
  { name: "take", commands: `base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
openssl rand 32 > ticket
HASH=$(openssl dgst -sha256 -binary ticket | base64url)
curl -sSf -H "$READER" -H 'Content-Type: application/json' -d "{\\"ticket\\":\\"$HASH\\"}" "$SHARE/downloads"` },
  { name: "fetch", commands: `TICKET="Authorization: Bearer $(base64url < ticket)"
curl -sSf -H "$TICKET" -C - -o content.age "$SHARE/content"` },
  { name: "parts", commands: `PARTS=$(curl -sSf -H "$READER" "$SHARE" | sed 's/.*"parts":\\([0-9]*\\).*/\\1/')
for n in $(seq "$PARTS"); do curl -sSf -H "$TICKET" "$SHARE/parts/$n"; done > content.age` },
  { name: "unseal", commands: `age -d -i key.txt content.age | zstd -d ${tar ? "| tar x" : "> content"}` },
  { name: "finish", commands: `curl -sSf -H "$TICKET" -X DELETE "$SHARE/downloads/current"` },
];
