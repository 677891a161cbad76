// @ts-check
// Answers /save/{name} with what the server has, passing each chunk on by script, as is needed for bytes that a page has opened.

addEventListener("install", () => skipWaiting());
addEventListener("activate", (e) => e.waitUntil(clients.claim()));
addEventListener("fetch", (e) => {
  const { pathname } = new URL(e.request.url);
  if (pathname === "/alive") e.respondWith(new Response("yes"));
  else if (pathname.startsWith("/save/")) e.respondWith(save(decodeURIComponent(pathname.slice(6))));
});

async function save(name) {
  const { body, headers } = await fetch("/content");
  const reader = body.getReader();
  const stream = new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      controller.close();
      for (const page of await clients.matchAll()) page.postMessage("done");
    },
  }, { highWaterMark: 0 });
  return new Response(stream, {
    headers: {
      "Content-Disposition": `attachment; filename="${name}"`,
      "Content-Length": headers.get("Content-Length"),
      "Content-Type": "application/octet-stream",
    },
  });
}
