// Next's ambient types, such as those of CSS imports. With them the type check works before the
// first build has written next-env.d.ts.
/// <reference types="next" />
