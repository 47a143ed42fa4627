// `facade.rs` bundles this and puts it into a page: the package's own sources, and an instance as a
// page makes one.

import { createVestibule } from "../../../frontend/vestibule/src/index.ts";

export const { auth, desktop } = createVestibule();
export const { publicFetch } = desktop;
