// `facade.rs` bundles this and puts it into a page: the frontend's own sources, as a page imports
// them.

export { auth } from "../../../frontend/lib/auth";
export { publicFetch } from "../../../frontend/lib/native";
