// Follows a subscription with the published client of its protocol.
//
// node live.mjs ws|sse <url> <request as JSON> [connection parameters as JSON]
//
// Each element is a line on standard output: {"next": ..}, {"error": ..} or {"complete": true}. Ends when standard input does.

import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";

const [protocol, url, request, parameters] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));

const client =
  protocol === "ws"
    ? createWsClient({
        url,
        webSocketImpl: WebSocket,
        retryAttempts: 5,
        shouldRetry: () => true,
        retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
        connectionParams: parameters === undefined ? undefined : JSON.parse(parameters),
        on: { closed: (event) => say({ closed: event.code }) },
      })
    : createSseClient({
        url,
        retryAttempts: 5,
        retry: () => new Promise((resolve) => setTimeout(resolve, 20)),
      });

client.subscribe(JSON.parse(request), {
  next: (next) => say({ next }),
  error: (error) => {
    const list = Array.isArray(error);
    say({ error: list ? error : (error.reason ?? error.message ?? String(error)) });
  },
  complete: () => say({ complete: true }),
});

process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
