// Keeps orders in memory: GET /orders counts them, POST /orders adds one.
import { createServer } from "node:http";

const login = `Basic ${Buffer.from(`shop:${process.env.PASSWORD}`).toString("base64")}`;
const orders = [];

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };
  if (request.url === "/healthz") return answer(200, "ok");
  if (request.headers.authorization !== login) return answer(401, "wrong password");
  if (request.url !== "/orders") return answer(404, "not found");
  if (request.method === "POST") {
    let text = "";
    for await (const chunk of request) text += chunk;
    orders.push({ ...JSON.parse(text), at: new Date().toISOString() });
  }
  answer(200, { count: orders.length, last: orders.at(-1) });
});

server.listen(8080);
process.once("SIGTERM", () => server.close());
