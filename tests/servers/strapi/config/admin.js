// Nobody opens the panel of administration here.
module.exports = () => ({
  serveAdminPanel: false,
  auth: { secret: process.env.SECRET },
  apiToken: { salt: process.env.SECRET },
  transfer: { token: { salt: process.env.SECRET } },
  secrets: { encryptionKey: process.env.SECRET },
  flags: { nps: false, promoteEE: false },
});
