// `oidc-provider` with one native client, which has no secret and takes its answers on any port of
// loopback (RFC 8252 §7.3).

import Provider from "oidc-provider";
import { serveProvider } from "../shared/oidc_provider.js";
import { announce, dataFolder, endWithInput, port } from "../shared/serving.js";

const at = await port();
await serveProvider(Provider, {
  port: at,
  folder: dataFolder(),
  clients: [
    {
      client_id: "vestibule-desktop",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/callback", "http://[::1]/callback"],
      grant_types: [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
      ],
      response_types: ["code"],
    },
  ],
});
endWithInput();
announce(`http://127.0.0.1:${at}`);
