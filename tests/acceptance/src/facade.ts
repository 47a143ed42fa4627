// What `facade.rs` puts into a page: the frontend's own sources, as a page would import them.

export { auth } from "../../../frontend/lib/auth";
export { publicFetch } from "../../../frontend/lib/native";
