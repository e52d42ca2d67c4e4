// GET / shows the shop, GET /products lists what is on sale, POST /orders/P001 buys it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const products = JSON.parse(readFileSync("/catalog/products.json", "utf8"));
const { username, password, origin } = new URL(process.env.DATABASE_URL);
const authorization = `Basic ${Buffer.from(`${username}:${decodeURIComponent(password)}`).toString("base64")}`;

async function orders(order) {
  const request = order === undefined ? {} : { method: "POST", body: JSON.stringify(order) };
  const answer = await fetch(`${origin}/orders`, {
    ...request,
    headers: { authorization },
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`the database says ${answer.status}`);
  return answer.json();
}

async function route({ method, url }) {
  if (url === "/healthz") return "ok";
  if (url === "/products") return products;
  if (url === "/") return { shop: "Terrarium plants", products: products.length, orders: (await orders()).count };
  const product = method === "POST" ? products.find(({ id }) => url === `/orders/${id}`) : undefined;
  return product && orders(product);
}

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(`${JSON.stringify(body)}\n`);
  };
  try {
    const body = await route(request);
    answer(body === undefined ? 404 : 200, body ?? "not found");
  } catch (error) {
    answer(502, error.message);
  }
});

server.listen(8080);
process.once("SIGTERM", () => server.close());
