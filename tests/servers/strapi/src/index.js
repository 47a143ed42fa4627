module.exports = {
  /** Makes the account that tests sign in to. */
  async bootstrap({ strapi }) {
    const users = strapi.db.query("plugin::users-permissions.user");
    const email = process.env.ANN_EMAIL;
    if (await users.findOne({ where: { email } })) return;
    const role = await strapi.db
      .query("plugin::users-permissions.role")
      .findOne({ where: { type: "authenticated" } });
    await strapi.plugin("users-permissions").service("user").add({
      username: email,
      email,
      password: process.env.ANN_PASSWORD,
      provider: "local",
      confirmed: true,
      role: role.id,
    });
  },
};
