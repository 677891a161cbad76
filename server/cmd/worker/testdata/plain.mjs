// What the Worker is measured against: one record read from D1 and answered as JSON, by JavaScript alone.
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/healthz") return new Response("ok\n");
    const row = await env.DB.prepare("SELECT * FROM shares WHERE id = ?1 AND expires > ?2").bind("none", Date.now()).first();
    return Response.json({ row });
  },
};
