// Composes a subgraph with another one, and sends queries through a gateway:
// `node federation.mjs <url> <other subgraph's SDL> <other's data as JSON>`, with one query in each
// line of the input. Prints a JSON line with the errors of the composition, and one with the answer to
// each query.
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from "@apollo/gateway";
import { composeServices } from "@apollo/composition";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";
import { createInterface } from "node:readline";

const [url, otherSdl, otherData] = process.argv.slice(2);
const sdlRequest = await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ query: "{ _service { sdl } }" }),
});
const sdl = (await sdlRequest.json()).data._service.sdl;
const other = parse(otherSdl);
const { errors, supergraphSdl } = composeServices([
  { name: "documents", url, typeDefs: parse(sdl) },
  { name: "other", url: "http://localhost/other", typeDefs: other },
]);
console.log(JSON.stringify((errors ?? []).map((error) => error.message)));
if (errors) process.exit(0);

const root = JSON.parse(otherData);
const resolvers = { Query: Object.fromEntries(Object.keys(root).map((name) => [name, () => root[name]])) };
const local = new LocalGraphQLDataSource(buildSubgraphSchema({ typeDefs: other, resolvers }));
const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
const gateway = new ApolloGateway({
  supergraphSdl,
  logger: quiet,
  buildService: ({ name }) => (name === "other" ? local : new RemoteGraphQLDataSource({ url })),
});
const { executor, schema } = await gateway.load();
for await (const query of createInterface({ input: process.stdin })) {
  const request = { query, variables: {} };
  const document = parse(query);
  const answer = await executor({
    request, document, schema, queryHash: query, context: {}, cache: new Map(), logger: quiet,
    operationName: null, operation: document.definitions[0], metrics: {}, overallCachePolicy: undefined,
  });
  console.log(JSON.stringify(answer));
}
await gateway.stop();
process.exit(0);
