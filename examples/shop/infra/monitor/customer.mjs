// Looks at the shop and buys the first plant, twice a minute; answers 200 while the last visit went well.
import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

let complaint = "has not been there yet";

async function ask(path, options) {
  const answer = await fetch(process.env.SHOP_URL + path, { ...options, signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function visit() {
  const before = await ask("/");
  if (before.products !== Number(process.env.PRODUCTS)) {
    throw new Error(`the shop offers ${before.products} plants instead of ${process.env.PRODUCTS}`);
  }
  const [plant] = await ask("/products");
  const { count } = await ask(`/orders/${plant.id}`, { method: "POST" });
  if (count <= before.orders) throw new Error("the order did not arrive");
  console.log(`bought a ${plant.name} for ${plant.price}; orders so far: ${count}`);
}

const server = createServer((_request, response) => {
  response.writeHead(complaint === "" ? 200 : 503).end(complaint);
});
server.listen(8080);
const closing = new AbortController();
process.once("SIGTERM", () => {
  closing.abort();
  server.close();
});

while (!closing.signal.aborted) {
  complaint = await visit().then(
    () => "",
    (error) => error.message,
  );
  if (complaint !== "") console.error(complaint);
  await wait(complaint === "" ? 30_000 : 1_000, undefined, { signal: closing.signal }).catch(() => {});
}
