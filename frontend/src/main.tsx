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
import { languageOf } from "./text";
import { theme } from "./theme";

let language = languageOf(location.search);

const client = createClient({ language: () => language });
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
          <App path={location.pathname} language={language} storage={tabStorage()} onLanguage={remember} />
        </SeatcastProvider>
      </ApiContext>
    </MantineProvider>
  </StrictMode>,
);
