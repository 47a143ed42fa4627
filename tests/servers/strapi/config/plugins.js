// SESSIONS=1 switches refresh tokens on. Without it Strapi gives one token without a refresh, as in
// a new project.
const life = process.env.ACCESS_LIFE_S;

module.exports = () => ({
  "users-permissions": {
    config: {
      jwtSecret: process.env.SECRET,
      ...(process.env.SESSIONS === "1"
        ? {
            jwtManagement: "refresh",
            sessions: { accessTokenLifespan: Number(life ?? 300), httpOnly: false },
          }
        : { jwt: { expiresIn: life ? `${life}s` : "30d" } }),
    },
  },
});
