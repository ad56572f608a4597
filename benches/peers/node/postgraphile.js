// PostGraphile with production settings, on the database of PGHOST and so on.
//
// Prints its port, and exits at the end of its input. With PROCESSES=2 it is a cluster of two
// processes, which share the port and the connections.
import cluster from "node:cluster";
import { createServer } from "node:http";

import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

const processes = Number(process.env.PROCESSES ?? 1);
const connections = Number(process.env.CONNECTIONS ?? 8);

// Only the base tables are in the schema.
const hidden = { tags: { behavior: "-*" } };
const tags = jsonPgSmartTags({
  version: 1,
  config: { class: { tv_post: hidden, tv_post_json: hidden, tv_post_jsonb: hidden, fraiseql_view: hidden } },
});

function postGraphile() {
  // pg connects to the Unix socket in the directory PGHOST.
  const max = Math.max(1, Math.floor(connections / processes));
  const pool = new pg.Pool({ max, idleTimeoutMillis: 0 });
  pool.on("error", (error) => console.error(error));
  return postgraphile({
    extends: [PostGraphileAmberPreset],
    plugins: [tags],
    pgServices: [makePgService({ pool, schemas: ["public"], pubsub: false })],
    // Lists, in addition to Relay connections.
    schema: { defaultBehavior: "+list +connection" },
    grafast: { explain: false },
    grafserv: { graphiql: false, websockets: false, watch: false, outputDataAsString: true },
  });
}

async function listen() {
  const instance = postGraphile();
  const server = createServer({ keepAlive: true, noDelay: true });
  server.keepAliveTimeout = 600_000;
  server.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  await instance.createServ(grafserv).addTo(server);
  await instance.getSchema();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

function endWithInput() {
  process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0)).resume();
}

if (processes > 1 && cluster.isPrimary) {
  endWithInput();
  let waiting = processes;
  cluster.on("message", (_, { port }) => {
    // All workers share the port that the first one is assigned.
    waiting -= 1;
    if (waiting === 0) console.log(port);
  });
  cluster.on("exit", () => process.exit(1));
  for (let index = 0; index < processes; index += 1) cluster.fork();
} else {
  const port = await listen();
  if (cluster.isWorker) {
    process.on("disconnect", () => process.exit(0));
    process.send({ port });
  } else {
    endWithInput();
    console.log(port);
  }
}
