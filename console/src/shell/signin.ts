/** The sign-in pages, in a chunk of their own. */
import { lazy } from "react";

export const SignIn = lazy(() => import("~/pages/signin/SignInPage"));
export const SignedIn = lazy(() => import("~/pages/signin/SignedInPage"));
