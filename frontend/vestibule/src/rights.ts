// The names of an app's rights, which only the app knows.

/**
 * An app adds the type of its rights here, so that a misspelt right does not compile:
 *
 *     declare module "vestibule" {
 *       interface AppTypes {
 *         right: "people.see" | "people.export";
 *       }
 *     }
 */
// biome-ignore lint/suspicious/noEmptyInterface: an app adds the member
export interface AppTypes {}

/** What a role may let someone do in this app. Any text where the app has not said more. */
export type Right = AppTypes extends { right: infer R extends string } ? R : string;
