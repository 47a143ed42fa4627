// Next's ambient types (CSS imports among them), so that the type check works
// before the first build has written next-env.d.ts.
/// <reference types="next" />
