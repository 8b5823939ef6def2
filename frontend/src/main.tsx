/** The page's composition root: the one place that knows browser, service, connection and React. */
import "./theme";
import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Api } from "./api";
import { App } from "./App";
import { ApiContext } from "./bookings";
import { LiveContext } from "./hooks";
import type { Clock } from "./live/backoff";
import { Live } from "./live/client";
import { browserPage } from "./live/page";
import { Store } from "./live/store";
import { languageOf } from "./text";
import { theme } from "./theme";

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => window.setTimeout(run, ms),
  clearTimeout: (timer) => window.clearTimeout(timer as number),
};

let language = languageOf(location.search);

const api = new Api({ fetch: window.fetch.bind(window), clock, random: Math.random, language: () => language });

/** Where the gateway is: told by the service, else on the usual port of the page's own host. */
async function gatewayUrl(): Promise<string> {
  const { websocketUrl, websocketPort } = await api.config();
  return websocketUrl ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.hostname}:${websocketPort}/`;
}

const live = new Live({
  // A hidden page has no frames: it wakes nobody, and is right on the first frame after it is shown again.
  store: new Store((flush) => void requestAnimationFrame(flush)),
  clock,
  random: Math.random,
  page: browserPage(window, document, navigator),
  url: gatewayUrl,
  open: (url) => new WebSocket(url),
  read: (signal) => api.tours(signal),
});

/** Null where the browser forbids storage. */
function tabStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function remember(chosen: typeof language): void {
  language = chosen;
  const url = new URL(location.href);
  url.searchParams.set("lang", chosen);
  history.replaceState(history.state, "", url);
}

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <ApiContext value={api}>
        <LiveContext value={live}>
          <App language={language} storage={tabStorage()} onLanguage={remember} />
        </LiveContext>
      </ApiContext>
    </MantineProvider>
  </StrictMode>,
);
