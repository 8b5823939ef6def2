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
import { keepTogether } from "./renewal";
import { Sessions, SessionsContext } from "./session";
import { languageOf } from "./text";
import { theme } from "./theme";
import { hearFirst } from "./unsaved";

let language = languageOf(location.search);

const sessions = new Sessions(tabStorage());
takeToken();
// A link to this very page only changes the fragment of a page that is open: that is how a site renews a token.
addEventListener("hashchange", takeToken);

const client = createClient({ language: () => language, getToken: () => sessions.now()?.token ?? null });
keepTogether(client, sessions);
const api = new Api({ request: client.request, random: Math.random });

/** What an address brings is not to stay in it, nor in the history. */
function takeToken(): void {
  if (sessions.takeFrom(location.hash)) history.replaceState(history.state, "", location.pathname + location.search);
}

/** Null where the browser forbids storage. */
function tabStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

hearFirst();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <ApiContext value={api}>
        <SeatcastProvider client={client}>
          <SessionsContext value={sessions}>
            <App language={language} storage={tabStorage()} onLanguage={(chosen) => (language = chosen)} />
          </SessionsContext>
        </SeatcastProvider>
      </ApiContext>
    </MantineProvider>
  </StrictMode>,
);
