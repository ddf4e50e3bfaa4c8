import { nonce } from "./nonce";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "./global.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { client } from "./api/client";
import { borrowSession } from "./api/session";
import { App } from "./shell/App";
import { Boundary } from "./shell/Boundary";
import { theme, variables } from "./shell/theme";

const scheme = localStorageColorSchemeManager({ key: "skerry-color-scheme" });
const root = document.getElementById("root");
if (root) {
  await borrowSession();
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        colorSchemeManager={scheme}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        <Notifications position="bottom-right" />
        <QueryClientProvider client={client}>
          <BrowserRouter basename="/console">
            <Boundary>
              <App />
            </Boundary>
          </BrowserRouter>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
