const { join } = require("node:path");

module.exports = () => ({
  host: "127.0.0.1",
  port: Number(process.env.PORT),
  app: { keys: ["only", "for", "a", "test"] },
  dirs: { public: join(process.env.DATA, "public") },
  logger: { updates: { enabled: false }, startup: { enabled: false } },
});
