/** The page's composition root: the one place that knows browser, service, connection and React. */
import "./theme";
import { MantineProvider } from "@mantine/core";
import { createClient } from "@seatcast/client";
import { SeatcastProvider } from "@seatcast/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Api } from "./api";
import { App } from "./App";
import { ApiContext } from "./bookings";
import { Sessions, SessionsContext } from "./session";
import { languageOf } from "./text";
import { theme } from "./theme";

let language = languageOf(location.search);

const sessions = new Sessions(tabStorage());
// What an address brings is not to stay in it, nor in the history.
if (sessions.takeFrom(location.hash)) history.replaceState(history.state, "", location.pathname + location.search);

const client = createClient({ language: () => language, getToken: () => sessions.now()?.token ?? null });
sessions.watch(() => client.renew());
const api = new Api({ request: client.request, random: Math.random });

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
        <SeatcastProvider client={client}>
          <SessionsContext value={sessions}>
            <App language={language} storage={tabStorage()} onLanguage={remember} />
          </SessionsContext>
        </SeatcastProvider>
      </ApiContext>
    </MantineProvider>
  </StrictMode>,
);
